// What the CUDA kernels of both layouts share: packs of 16 bytes, reductions, Welford's moments.
#pragma once

#include "common.h"

namespace seqdis {
namespace {

constexpr int kWarp = 32;
constexpr int kThreads = 256;         // of a block that walks down positions, or does small work
constexpr int kMostThreads = 512;     // of a block that takes a group
constexpr int kRowThreads = 1024;     // of a block that adds up the rows of some channels
constexpr int64_t kShared = 4096;     // channels whose P, Q fit into shared memory
constexpr int64_t kManyEntries = 1 << 15;  // of a group that is worth several blocks
constexpr unsigned kAll = 0xffffffffu;

template <typename T, int V>
struct alignas(sizeof(T) * V) Pack {
  T v[V];
};

template <typename T, int V>
__device__ __forceinline__ Pack<T, V> load(const T* p) {
  return *reinterpret_cast<const Pack<T, V>*>(p);
}

template <typename T, int V>
__device__ __forceinline__ void store(T* p, const Pack<T, V>& pack) {
  *reinterpret_cast<Pack<T, V>*>(p) = pack;
}

template <bool kSilu>
__device__ __forceinline__ float activate(float w) {
  if constexpr (kSilu) return w / (1.f + __expf(-w));
  return w;
}

// ∂L/∂w from ∂L/∂y.
template <bool kSilu>
__device__ __forceinline__ float deactivate(float grad, float w) {
  if constexpr (kSilu) {
    const float gate = 1.f / (1.f + __expf(-w));
    return grad * gate * (1.f + w * (1.f - gate));
  }
  return grad;
}

struct Welford {
  float count, mean, m2;
};

__device__ __forceinline__ Welford merge(const Welford& a, const Welford& b) {
  const float count = a.count + b.count;
  if (count == 0.f) return a;
  const float delta = b.mean - a.mean, share = b.count / count;
  return {count, a.mean + delta * share, a.m2 + b.m2 + delta * delta * a.count * share};
}

__device__ __forceinline__ Welford warp_merge(Welford w) {
  for (int step = kWarp / 2; step > 0; step /= 2) {
    const Welford other{__shfl_xor_sync(kAll, w.count, step), __shfl_xor_sync(kAll, w.mean, step),
                        __shfl_xor_sync(kAll, w.m2, step)};
    // The lower lane comes first on both sides, so that all lanes end with the same bits.
    w = (threadIdx.x & step) ? merge(other, w) : merge(w, other);
  }
  return w;
}

// Every thread gets the result. The block is one-dimensional, of whole warps.
__device__ Welford block_merge(Welford w) {
  static __shared__ Welford of_warp[kMostThreads / kWarp];
  w = warp_merge(w);
  __syncthreads();  // an earlier call may still be read
  if (threadIdx.x % kWarp == 0) of_warp[threadIdx.x / kWarp] = w;
  __syncthreads();
  Welford all = of_warp[0];
  for (int i = 1; i < blockDim.x / kWarp; ++i) all = merge(all, of_warp[i]);
  return all;
}

__device__ __forceinline__ float2 warp_sum(float2 v) {
  for (int step = kWarp / 2; step > 0; step /= 2) {
    v.x += __shfl_xor_sync(kAll, v.x, step);
    v.y += __shfl_xor_sync(kAll, v.y, step);
  }
  return v;
}

__device__ float2 block_sum(float2 v) {
  static __shared__ float2 of_warp[kMostThreads / kWarp];
  v = warp_sum(v);
  __syncthreads();
  if (threadIdx.x % kWarp == 0) of_warp[threadIdx.x / kWarp] = v;
  __syncthreads();
  float2 all = of_warp[0];
  for (int i = 1; i < blockDim.x / kWarp; ++i) {
    all.x += of_warp[i].x;
    all.y += of_warp[i].y;
  }
  return all;
}

// Welford's of the lanes of a pack, which have all seen `count` entries. A pivot, some entry of the group, is
// taken off first: a large mean would swallow the small steps of the running mean.
template <int V>
struct Lanes {
  float count = 0.f, pivot[V], mean[V], m2[V];

  __device__ Lanes() {
#pragma unroll
    for (int j = 0; j < V; ++j) pivot[j] = mean[j] = m2[j] = 0.f;
  }

  template <typename T>
  __device__ __forceinline__ void add(const Pack<T, V>& pack) {
    count += 1.f;
    const float share = __frcp_rn(count);
#pragma unroll
    for (int j = 0; j < V; ++j) {
      const float value = static_cast<float>(pack.v[j]) - pivot[j], delta = value - mean[j];
      mean[j] += delta * share;
      m2[j] += delta * (value - mean[j]);
    }
  }

  // Without the pivot.
  __device__ __forceinline__ Welford lane(int j) const { return {count, mean[j], m2[j]}; }
};

// P, Q of `count` channels from `first` on: from shared memory where they fit.
struct AffineTable {
  const Affine* table;
  const Parts& parts;
  int64_t m, first;

  __device__ __forceinline__ Affine operator()(int64_t k) const {
    return table ? table[k] : parts.at(m, first + k).affine();
  }
};

__host__ __device__ __forceinline__ size_t table_bytes(int64_t count) {
  return count <= kShared ? count * sizeof(Affine) : 0;
}

// All threads of the block call it; it ends with a barrier.
__device__ AffineTable affine_table(const Parts& parts, int64_t m, int64_t first, int64_t count, void* shared) {
  Affine* table = count <= kShared ? static_cast<Affine*>(shared) : nullptr;
  if (table) {
    for (int64_t k = threadIdx.x; k < count; k += blockDim.x) table[k] = parts.at(m, first + k).affine();
  }
  __syncthreads();
  return {table, parts, m, first};
}

// Of entry i of a group, its channel; 32-bit division is several times faster.
__device__ __forceinline__ int64_t channel_of(int64_t i, int64_t positions, bool narrow) {
  return narrow ? static_cast<unsigned>(i) / static_cast<unsigned>(positions) : i / positions;
}

// The part of `count` packs that is this block's, of `blocks`.
struct Range {
  int64_t begin, end;
};

__device__ __forceinline__ Range part_of_range(int64_t count, int64_t block, int64_t blocks) {
  const int64_t each = (count + blocks - 1) / blocks;
  const int64_t begin = block * each < count ? block * each : count;
  return {begin, begin + each < count ? begin + each : count};
}

}  // namespace
}  // namespace seqdis
