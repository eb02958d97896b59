// Kernels for maps of one position, whose channels lie next to each other: a matrix (N, C), or the tokens of a
// transformer as samples. A block takes samples that share a row of modulation, a warp one of their groups at a
// time; its lanes keep in registers what they have read, as far as that goes.
#pragma once

#include "device.cuh"

namespace seqdis {
namespace {

constexpr int kHeld = 8;            // packs of a lane
constexpr int64_t kRowsABlock = 32;

// f(i, k) for the packs i of this lane: the first kHeld with a constant k, the others with k = −1.
template <typename F>
__device__ __forceinline__ void over_packs(int64_t packs, F f) {
  const int lane = threadIdx.x % kWarp;
#pragma unroll
  for (int k = 0; k < kHeld; ++k) {
    const int64_t i = lane + k * kWarp;
    if (i < packs) f(i, k);
  }
  for (int64_t i = lane + kHeld * kWarp; i < packs; i += kWarp) f(i, -1);
}

// f(n, group) for the groups of this warp; grid.x is M · chunks.
template <typename F>
__device__ __forceinline__ void over_groups(const Shape& s, int64_t chunks, F f) {
  const int64_t m = blockIdx.x / chunks;
  const Range rows = part_of_range(s.share, blockIdx.x % chunks, chunks);
  for (int64_t u = threadIdx.x / kWarp; u < (rows.end - rows.begin) * s.groups; u += blockDim.x / kWarp)
    f(m * s.share + rows.begin + u / s.groups, u % s.groups);
}

template <typename T, int V, bool kSilu>
__global__ void __launch_bounds__(kThreads)
    forward_rows(const T* x, T* y, float* mean, float* rstd, Shape s, Parts parts, float eps, int64_t chunks) {
  extern __shared__ uint4 memory[];
  const AffineTable affine = affine_table(parts, blockIdx.x / chunks, 0, s.channels, memory);
  over_groups(s, chunks, [&](int64_t n, int64_t g) {
    const int64_t base = n * s.channels + g * s.each, packs = s.each / V;
    Pack<T, V> held[kHeld];
    Lanes<V> lanes;
    const float pivot = static_cast<float>(x[base]);
#pragma unroll
    for (int j = 0; j < V; ++j) lanes.pivot[j] = pivot;
    over_packs(packs, [&](int64_t i, int k) {
      const Pack<T, V> pack = load<T, V>(x + base + i * V);
      if (k >= 0) held[k] = pack;
      lanes.add(pack);
    });
    Welford found = lanes.lane(0);
#pragma unroll
    for (int j = 1; j < V; ++j) found = merge(found, lanes.lane(j));
    found = warp_merge(found);
    const float centre = found.mean + pivot, scale = rsqrtf(found.m2 / static_cast<float>(s.each) + eps);
    if (threadIdx.x % kWarp == 0) {
      mean[n * s.groups + g] = centre;
      rstd[n * s.groups + g] = scale;
    }
    over_packs(packs, [&](int64_t i, int k) {
      Pack<T, V> pack = k >= 0 ? held[k] : load<T, V>(x + base + i * V);
#pragma unroll
      for (int j = 0; j < V; ++j) {
        const Affine at = affine(g * s.each + i * V + j);
        pack.v[j] = static_cast<T>(activate<kSilu>(at.p * scale * (static_cast<float>(pack.v[j]) - centre) + at.q));
      }
      store<T, V>(y + base + i * V, pack);
    });
  });
}

template <typename T, int V, bool kSilu>
__global__ void __launch_bounds__(kThreads)
    input_gradient_of_rows(const T* grad, const T* x, const float* mean, const float* rstd, T* result, Shape s,
                           Parts parts, int64_t chunks) {
  extern __shared__ uint4 memory[];
  const AffineTable affine = affine_table(parts, blockIdx.x / chunks, 0, s.channels, memory);
  over_groups(s, chunks, [&](int64_t n, int64_t g) {
    const int64_t base = n * s.channels + g * s.each, packs = s.each / V;
    const float centre = mean[n * s.groups + g], scale = rstd[n * s.groups + g];
    Pack<T, V> held_grad[kHeld], held_x[kHeld];
    // P δ of entry j of pack i, and what x̂ it belongs to.
    const auto weighted = [&](const Pack<T, V>& grads, const Pack<T, V>& values, int64_t i, int j) {
      const Affine at = affine(g * s.each + i * V + j);
      const float normalized = (static_cast<float>(values.v[j]) - centre) * scale;
      const float delta = deactivate<kSilu>(static_cast<float>(grads.v[j]), at.p * normalized + at.q);
      return make_float2(at.p * delta, normalized);
    };
    float2 shares = make_float2(0.f, 0.f);
    over_packs(packs, [&](int64_t i, int k) {
      const Pack<T, V> grads = load<T, V>(grad + base + i * V), values = load<T, V>(x + base + i * V);
      if (k >= 0) {
        held_grad[k] = grads;
        held_x[k] = values;
      }
#pragma unroll
      for (int j = 0; j < V; ++j) {
        const float2 one = weighted(grads, values, i, j);
        shares.x += one.x;
        shares.y += one.x * one.y;
      }
    });
    shares = warp_sum(shares);
    shares.x /= static_cast<float>(s.each);
    shares.y /= static_cast<float>(s.each);
    over_packs(packs, [&](int64_t i, int k) {
      const Pack<T, V> grads = k >= 0 ? held_grad[k] : load<T, V>(grad + base + i * V);
      Pack<T, V> values = k >= 0 ? held_x[k] : load<T, V>(x + base + i * V);
#pragma unroll
      for (int j = 0; j < V; ++j) {
        const float2 one = weighted(grads, values, i, j);
        values.v[j] = static_cast<T>(scale * (one.x - shares.x - one.y * shares.y));
      }
      store<T, V>(result + base + i * V, values);
    });
  });
}

}  // namespace
}  // namespace seqdis
