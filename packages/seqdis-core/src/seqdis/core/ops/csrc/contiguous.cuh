// Kernels for contiguous maps: a group is one stretch of memory.
//
// A block that takes a whole group keeps what it has read in shared memory, where that fits (`staged`), and
// reads global memory once. The stage comes first in shared memory, then the table of P and Q.
#pragma once

#include "device.cuh"

namespace seqdis {
namespace {

// Units of shared memory (uint4) that hold `size` entries.
template <typename T>
__host__ __device__ __forceinline__ int64_t stage_packs(int64_t size) {
  return (size * sizeof(T) + sizeof(uint4) - 1) / sizeof(uint4);
}

// Moments of a part of the group that begins at x; copied to `stage`, if any.
template <typename T, int V>
__device__ Welford moments_of(const T* x, Range packs, T* stage) {
  Lanes<V> lanes;
  const float pivot = static_cast<float>(x[0]);
#pragma unroll
  for (int j = 0; j < V; ++j) lanes.pivot[j] = pivot;
#pragma unroll 4
  for (int64_t i = packs.begin + threadIdx.x; i < packs.end; i += blockDim.x) {
    const Pack<T, V> pack = load<T, V>(x + i * V);
    if (stage) store<T, V>(stage + i * V, pack);
    lanes.add(pack);
  }
  Welford mine = lanes.lane(0);
#pragma unroll
  for (int j = 1; j < V; ++j) mine = merge(mine, lanes.lane(j));
  Welford all = block_merge(mine);
  all.mean += pivot;
  return all;
}

template <typename T, int V, bool kSilu>
__device__ void apply(const T* x, T* y, Range packs, float mean, float rstd, int64_t positions, bool narrow,
                      const AffineTable& affine) {
#pragma unroll 4
  for (int64_t i = packs.begin + threadIdx.x; i < packs.end; i += blockDim.x) {
    const Affine at = affine(channel_of(i * V, positions, narrow));
    Pack<T, V> pack = load<T, V>(x + i * V);
#pragma unroll
    for (int j = 0; j < V; ++j)
      pack.v[j] = static_cast<T>(activate<kSilu>(at.p * rstd * (static_cast<float>(pack.v[j]) - mean) + at.q));
    store<T, V>(y + i * V, pack);
  }
}

// A block a group.
template <typename T, int V, bool kSilu>
__global__ void __launch_bounds__(kMostThreads, 2)
    forward_groups(const T* x, T* y, float* mean, float* rstd, Shape s, Parts parts, float eps, bool staged) {
  extern __shared__ uint4 memory[];
  const int64_t group = blockIdx.x, size = s.group_size(), n = group / s.groups;
  T* stage = staged ? reinterpret_cast<T*>(memory) : nullptr;
  const AffineTable affine = affine_table(parts, n / s.share, group % s.groups * s.each, s.each,
                                          memory + (staged ? stage_packs<T>(size) : 0));
  const Range all{0, size / V};
  const Welford found = moments_of<T, V>(x + group * size, all, stage);
  const float scale = rsqrtf(found.m2 / static_cast<float>(size) + eps);
  if (threadIdx.x == 0) {
    mean[group] = found.mean;
    rstd[group] = scale;
  }
  // A thread takes from the stage what it has put there itself: no barrier is needed.
  apply<T, V, kSilu>(stage ? stage : x + group * size, y + group * size, all, found.mean, scale, s.positions,
                     size < (1ll << 31), affine);
}

// Several blocks a group: partial (N, splits, groups).
template <typename T, int V>
__global__ void __launch_bounds__(kMostThreads) moments_of_groups(const T* x, Welford* partial, Shape s, int64_t splits) {
  const int64_t group = blockIdx.x / splits, split = blockIdx.x % splits, size = s.group_size();
  const Welford found = moments_of<T, V>(x + group * size, part_of_range(size / V, split, splits), nullptr);
  if (threadIdx.x == 0) partial[(group / s.groups * splits + split) * s.groups + group % s.groups] = found;
}

// A warp a group: partial (N, splits, groups · each).
__global__ void merge_moments(const Welford* partial, float* mean, float* rstd, int64_t samples, int64_t groups,
                              int64_t each, int64_t splits, int64_t size, float eps) {
  const int64_t group = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / kWarp;
  if (group >= samples * groups) return;  // a whole warp leaves
  const int64_t n = group / groups, first = group % groups * each;
  Welford mine{0.f, 0.f, 0.f};
  for (int64_t i = threadIdx.x % kWarp; i < splits * each; i += kWarp)
    mine = merge(mine, partial[(n * splits + i / each) * groups * each + first + i % each]);
  mine = warp_merge(mine);
  if (threadIdx.x % kWarp == 0) {
    mean[group] = mine.mean;
    rstd[group] = rsqrtf(mine.m2 / static_cast<float>(size) + eps);
  }
}

template <typename T, int V, bool kSilu>
__global__ void __launch_bounds__(kMostThreads) apply_to_groups(const T* x, T* y, const float* mean, const float* rstd,
                                                                Shape s, Parts parts, int64_t splits) {
  extern __shared__ uint4 memory[];
  const int64_t group = blockIdx.x / splits, size = s.group_size(), n = group / s.groups;
  const AffineTable affine = affine_table(parts, n / s.share, group % s.groups * s.each, s.each, memory);
  apply<T, V, kSilu>(x + group * size, y + group * size, part_of_range(size / V, blockIdx.x % splits, splits),
                     mean[group], rstd[group], s.positions, size < (1ll << 31), affine);
}

// This thread's share of s₁ = Σ δ and s₂ = Σ δ x̂ over some positions of one channel; what it reads is copied to
// the stages, if any.
template <typename T, int V, bool kSilu>
__device__ float2 delta_sums(const T* grad, const T* x, Range packs, int lane, int lanes, Affine at, float mean,
                             float rstd, T* stage_grad, T* stage_x) {
  float2 sum = make_float2(0.f, 0.f);
#pragma unroll 2
  for (int64_t i = packs.begin + lane; i < packs.end; i += lanes) {
    const Pack<T, V> g = load<T, V>(grad + i * V), v = load<T, V>(x + i * V);
    if (stage_x) {
      store<T, V>(stage_grad + i * V, g);
      store<T, V>(stage_x + i * V, v);
    }
#pragma unroll
    for (int j = 0; j < V; ++j) {
      const float normalized = (static_cast<float>(v.v[j]) - mean) * rstd;
      const float delta = deactivate<kSilu>(static_cast<float>(g.v[j]), at.p * normalized + at.q);
      sum.x += delta;
      sum.y += delta * normalized;
    }
  }
  return sum;
}

// shares: Σ_c P s₁ / M and Σ_c P s₂ / M of the group.
template <typename T, int V, bool kSilu>
__device__ void input_gradient(const T* grad, const T* x, T* result, Range packs, float mean, float rstd,
                               float2 shares, int64_t positions, bool narrow, const AffineTable& affine) {
#pragma unroll 2
  for (int64_t i = packs.begin + threadIdx.x; i < packs.end; i += blockDim.x) {
    const Affine at = affine(channel_of(i * V, positions, narrow));
    const Pack<T, V> g = load<T, V>(grad + i * V);
    Pack<T, V> v = load<T, V>(x + i * V);
#pragma unroll
    for (int j = 0; j < V; ++j) {
      const float normalized = (static_cast<float>(v.v[j]) - mean) * rstd;
      const float delta = deactivate<kSilu>(static_cast<float>(g.v[j]), at.p * normalized + at.q);
      v.v[j] = static_cast<T>(rstd * (at.p * delta - shares.x - normalized * shares.y));
    }
    store<T, V>(result + i * V, v);
  }
}

// A block a group. `by_block`: the whole block takes a channel at a time; else each warp takes its own.
// sums (N, C)
template <typename T, int V, bool kSilu>
__global__ void __launch_bounds__(kMostThreads, 2)
    backward_groups(const T* grad, const T* x, const float* mean, const float* rstd, T* result, float2* sums, Shape s,
                    Parts parts, bool by_block, bool staged) {
  extern __shared__ uint4 memory[];
  const int64_t group = blockIdx.x, size = s.group_size(), n = group / s.groups, first = group % s.groups * s.each;
  T *stage_grad = nullptr, *stage_x = nullptr;
  if (staged) {
    stage_grad = reinterpret_cast<T*>(memory);
    stage_x = reinterpret_cast<T*>(memory + stage_packs<T>(size));
  }
  const AffineTable affine =
      affine_table(parts, n / s.share, first, s.each, memory + (staged ? 2 * stage_packs<T>(size) : 0));
  const float centre = mean[group], scale = rstd[group];
  const T *grads = grad + group * size, *values = x + group * size;
  const int lanes = by_block ? blockDim.x : kWarp, lane = threadIdx.x % lanes;
  float2 shares = make_float2(0.f, 0.f);
  // With by_block every thread runs the same rounds, which the barriers of block_sum need.
  for (int64_t k = threadIdx.x / lanes; k < s.each; k += blockDim.x / lanes) {
    const Affine at = affine(k);
    const int64_t base = k * s.positions;
    float2 sum = delta_sums<T, V, kSilu>(grads + base, values + base, Range{0, s.positions / V}, lane, lanes, at,
                                         centre, scale, staged ? stage_grad + base : nullptr,
                                         staged ? stage_x + base : nullptr);
    sum = by_block ? block_sum(sum) : warp_sum(sum);
    if (lane == 0) {
      sums[n * s.channels + first + k] = sum;
      shares.x += at.p * sum.x;
      shares.y += at.p * sum.y;
    }
  }
  shares = block_sum(shares);  // its barriers also complete the stages
  shares.x /= static_cast<float>(size);
  shares.y /= static_cast<float>(size);
  input_gradient<T, V, kSilu>(staged ? stage_grad : grads, staged ? stage_x : values, result + group * size,
                              Range{0, size / V}, centre, scale, shares, s.positions, size < (1ll << 31), affine);
}

// Several blocks a channel: partial (N, splits, C).
template <typename T, int V, bool kSilu>
__global__ void __launch_bounds__(kMostThreads)
    sums_of_channels(const T* grad, const T* x, const float* mean, const float* rstd, float2* partial, Shape s,
                     Parts parts, int64_t splits) {
  const int64_t row = blockIdx.x / splits, split = blockIdx.x % splits, n = row / s.channels, c = row % s.channels;
  const int64_t group = n * s.groups + c / s.each;
  const float2 sum = block_sum(delta_sums<T, V, kSilu>(
      grad + row * s.positions, x + row * s.positions, part_of_range(s.positions / V, split, splits), threadIdx.x,
      blockDim.x, parts.at(n / s.share, c).affine(), mean[group], rstd[group], nullptr, nullptr));
  if (threadIdx.x == 0) partial[(n * splits + split) * s.channels + c] = sum;
}

// A warp a group: partial (N, splits, C) to sums (N, C) and shares (N, groups).
__global__ void merge_sums(const float2* partial, float2* sums, float2* shares, Shape s, Parts parts, int64_t splits) {
  const int64_t group = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / kWarp;
  if (group >= s.samples * s.groups) return;
  const int64_t n = group / s.groups, first = group % s.groups * s.each;
  const int lane = threadIdx.x % kWarp;
  const bool across = s.each >= kWarp;  // a lane for each channel, else the warp for each
  float2 share = make_float2(0.f, 0.f);
  for (int64_t k = across ? lane : 0; k < s.each; k += across ? kWarp : 1) {
    float2 sum = make_float2(0.f, 0.f);
    for (int64_t i = across ? 0 : lane; i < splits; i += across ? 1 : kWarp) {
      const float2 one = partial[(n * splits + i) * s.channels + first + k];
      sum.x += one.x;
      sum.y += one.y;
    }
    if (!across) sum = warp_sum(sum);
    if (across || lane == 0) {
      const float p = parts.at(n / s.share, first + k).affine().p;
      share.x += p * sum.x;
      share.y += p * sum.y;
      sums[n * s.channels + first + k] = sum;
    }
  }
  share = warp_sum(share);
  const float size = static_cast<float>(s.group_size());
  if (lane == 0) shares[group] = make_float2(share.x / size, share.y / size);
}

template <typename T, int V, bool kSilu>
__global__ void __launch_bounds__(kMostThreads)
    input_gradient_of_groups(const T* grad, const T* x, const float* mean, const float* rstd, const float2* shares,
                             T* result, Shape s, Parts parts, int64_t splits) {
  extern __shared__ uint4 memory[];
  const int64_t group = blockIdx.x / splits, size = s.group_size(), n = group / s.groups;
  const AffineTable affine = affine_table(parts, n / s.share, group % s.groups * s.each, s.each, memory);
  input_gradient<T, V, kSilu>(grad + group * size, x + group * size, result + group * size,
                              part_of_range(size / V, blockIdx.x % splits, splits), mean[group], rstd[group],
                              shares[group], s.positions, size < (1ll << 31), affine);
}

}  // namespace
}  // namespace seqdis
