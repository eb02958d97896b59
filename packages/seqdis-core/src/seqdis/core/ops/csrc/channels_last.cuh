// Kernels for channels-last maps: a thread keeps to its channels and walks down the positions.
#pragma once

#include "device.cuh"

namespace seqdis {
namespace {

// Where a thread stands: block.x takes packs of channels, block.y positions; grid.x samples and splits of
// their positions, grid.y what block.x leaves of the channels.
struct Place {
  int64_t n, split, column;
  Range rows;
  bool inside;

  __device__ Place(const Shape& s, int64_t splits, int64_t columns)
      : n(blockIdx.x / splits),
        split(blockIdx.x % splits),
        column(static_cast<int64_t>(blockIdx.y) * blockDim.x + threadIdx.x),
        rows(part_of_range(s.positions, blockIdx.x % splits, splits)),
        inside(column < columns) {}
};

// partial (N, splits, C)
template <typename T, int V>
__global__ void __launch_bounds__(kThreads) moments_of_columns(const T* x, Welford* partial, Shape s, int64_t splits) {
  static __shared__ Welford scratch[kThreads];
  const Place place(s, splits, s.channels / V);
  const T* from = x + place.n * s.positions * s.channels + place.column * V;
  Lanes<V> lanes;
  if (place.inside) {
#pragma unroll
    for (int j = 0; j < V; ++j) {
      const int64_t c = place.column * V + j;
      lanes.pivot[j] = static_cast<float>(x[place.n * s.positions * s.channels + c / s.each * s.each]);
    }
#pragma unroll 4
    for (int64_t r = place.rows.begin + threadIdx.y; r < place.rows.end; r += blockDim.y)
      lanes.add(load<T, V>(from + r * s.channels));
  }
#pragma unroll
  for (int j = 0; j < V; ++j) {
    scratch[threadIdx.y * blockDim.x + threadIdx.x] = lanes.lane(j);
    __syncthreads();
    if (threadIdx.y == 0 && place.inside) {
      Welford all = scratch[threadIdx.x];
      for (int i = 1; i < blockDim.y; ++i) all = merge(all, scratch[i * blockDim.x + threadIdx.x]);
      all.mean += lanes.pivot[j];
      partial[(place.n * splits + place.split) * s.channels + place.column * V + j] = all;
    }
    __syncthreads();
  }
}

template <typename T, int V, bool kSilu>
__global__ void __launch_bounds__(kThreads)
    apply_to_columns(const T* x, T* y, const float* mean, const float* rstd, Shape s, Parts parts, int64_t splits) {
  const Place place(s, splits, s.channels / V);
  if (!place.inside) return;
  float p[V], q[V], m[V];
#pragma unroll
  for (int j = 0; j < V; ++j) {
    const int64_t c = place.column * V + j, group = place.n * s.groups + c / s.each;
    const Affine at = parts.at(place.n / s.share, c).affine();
    p[j] = at.p * rstd[group];
    q[j] = at.q;
    m[j] = mean[group];
  }
  const int64_t base = place.n * s.positions * s.channels + place.column * V;
#pragma unroll 4
  for (int64_t r = place.rows.begin + threadIdx.y; r < place.rows.end; r += blockDim.y) {
    Pack<T, V> pack = load<T, V>(x + base + r * s.channels);
#pragma unroll
    for (int j = 0; j < V; ++j)
      pack.v[j] = static_cast<T>(activate<kSilu>(p[j] * (static_cast<float>(pack.v[j]) - m[j]) + q[j]));
    store<T, V>(y + base + r * s.channels, pack);
  }
}

// partial (N, splits, C). With kEachRow a position has statistics of its own, mean and rstd (N, positions, groups):
// tokens that share a row of modulation are such positions.
template <typename T, int V, bool kSilu, bool kEachRow>
__global__ void __launch_bounds__(kThreads)
    sums_of_columns(const T* grad, const T* x, const float* mean, const float* rstd, float2* partial, Shape s,
                    Parts parts, int64_t splits) {
  static __shared__ float2 scratch[kThreads];
  const Place place(s, splits, s.channels / V);
  float s1[V], s2[V];
#pragma unroll
  for (int j = 0; j < V; ++j) s1[j] = s2[j] = 0.f;
  if (place.inside) {
    float p[V], q[V], m[V], r_[V];
    const auto statistics = [&](int64_t row) {
#pragma unroll
      for (int j = 0; j < V; ++j) {
        const int64_t group = row * s.groups + (place.column * V + j) / s.each;
        m[j] = mean[group];
        r_[j] = rstd[group];
      }
    };
#pragma unroll
    for (int j = 0; j < V; ++j) {
      const Affine at = parts.at(place.n / s.share, place.column * V + j).affine();
      p[j] = at.p;
      q[j] = at.q;
    }
    if constexpr (!kEachRow) statistics(place.n);
    const int64_t base = place.n * s.positions * s.channels + place.column * V;
#pragma unroll 2
    for (int64_t r = place.rows.begin + threadIdx.y; r < place.rows.end; r += blockDim.y) {
      if constexpr (kEachRow) statistics(place.n * s.positions + r);
      const Pack<T, V> g = load<T, V>(grad + base + r * s.channels), v = load<T, V>(x + base + r * s.channels);
#pragma unroll
      for (int j = 0; j < V; ++j) {
        const float normalized = (static_cast<float>(v.v[j]) - m[j]) * r_[j];
        const float delta = deactivate<kSilu>(static_cast<float>(g.v[j]), p[j] * normalized + q[j]);
        s1[j] += delta;
        s2[j] += delta * normalized;
      }
    }
  }
#pragma unroll
  for (int j = 0; j < V; ++j) {
    scratch[threadIdx.y * blockDim.x + threadIdx.x] = make_float2(s1[j], s2[j]);
    __syncthreads();
    if (threadIdx.y == 0 && place.inside) {
      float2 all = scratch[threadIdx.x];
      for (int i = 1; i < blockDim.y; ++i) {
        all.x += scratch[i * blockDim.x + threadIdx.x].x;
        all.y += scratch[i * blockDim.x + threadIdx.x].y;
      }
      partial[(place.n * splits + place.split) * s.channels + place.column * V + j] = all;
    }
    __syncthreads();
  }
}

template <typename T, int V, bool kSilu>
__global__ void __launch_bounds__(kThreads)
    input_gradient_of_columns(const T* grad, const T* x, const float* mean, const float* rstd, const float2* shares,
                              T* result, Shape s, Parts parts, int64_t splits) {
  const Place place(s, splits, s.channels / V);
  if (!place.inside) return;
  float p[V], q[V], m[V], r_[V];
  float2 share[V];
#pragma unroll
  for (int j = 0; j < V; ++j) {
    const int64_t c = place.column * V + j, group = place.n * s.groups + c / s.each;
    const Affine at = parts.at(place.n / s.share, c).affine();
    p[j] = at.p;
    q[j] = at.q;
    m[j] = mean[group];
    r_[j] = rstd[group];
    share[j] = shares[group];
  }
  const int64_t base = place.n * s.positions * s.channels + place.column * V;
#pragma unroll 2
  for (int64_t r = place.rows.begin + threadIdx.y; r < place.rows.end; r += blockDim.y) {
    const Pack<T, V> g = load<T, V>(grad + base + r * s.channels);
    Pack<T, V> v = load<T, V>(x + base + r * s.channels);
#pragma unroll
    for (int j = 0; j < V; ++j) {
      const float normalized = (static_cast<float>(v.v[j]) - m[j]) * r_[j];
      const float delta = deactivate<kSilu>(static_cast<float>(g.v[j]), p[j] * normalized + q[j]);
      v.v[j] = static_cast<T>(r_[j] * (p[j] * delta - share[j].x - normalized * share[j].y));
    }
    store<T, V>(result + base + r * s.channels, v);
  }
}

}  // namespace
}  // namespace seqdis
