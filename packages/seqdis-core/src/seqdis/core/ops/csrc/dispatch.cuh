// Which CUDA kernels take a map, how they are cut into blocks, and the gradients of the parts.
#pragma once

#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <limits>
#include <utility>

#include "channels_last.cuh"
#include "contiguous.cuh"
#include "rows.cuh"

namespace seqdis {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t attribute(cudaDeviceAttr name) {
  int device = 0, value = 0;
  C10_CUDA_CHECK(cudaGetDevice(&device));
  C10_CUDA_CHECK(cudaDeviceGetAttribute(&value, name, device));
  return value;
}

int64_t multiprocessors() { return attribute(cudaDevAttrMultiProcessorCount); }

// Shared memory that a block may take so that two fit on a multiprocessor; a kilobyte of each is the system's.
int64_t shared_for_two() {
  const int64_t half = attribute(cudaDevAttrMaxSharedMemoryPerMultiprocessor) / 2 - 1024;
  return std::min(half, attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin));
}

// A grid's x, which goes to 2^31 − 1.
unsigned blocks(int64_t count) {
  TORCH_CHECK_VALUE(count <= std::numeric_limits<int32_t>::max(), "ada_group_norm: ", count,
                    " blocks; a GPU takes at most 2^31 - 1");
  return static_cast<unsigned>(count);
}

// On the current stream, checked.
template <typename... Expected, typename... Given>
void launch(void (*kernel)(Expected...), dim3 grid, dim3 block, int64_t shared, Given&&... given) {
  if (shared > (48 << 10))
    C10_CUDA_CHECK(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                        cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared)));
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = static_cast<size_t>(shared);
  config.stream = c10::cuda::getCurrentCUDAStream();
  C10_CUDA_CHECK(cudaLaunchKernelEx(&config, kernel, static_cast<Expected>(given)...));
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

// Blocks that share one of `units`, so that about four blocks come to a multiprocessor; `most` have work.
int64_t splits_for(int64_t units, int64_t most) {
  return std::clamp<int64_t>(ceil_div(4 * multiprocessors(), units), 1, std::max<int64_t>(most, 1));
}

// How a contiguous map is cut; `maps` are those that a staged group brings into shared memory.
struct Groups {
  int64_t count, packs, splits = 1, table, shared;
  int threads = 64;
  bool staged;

  Groups(const Shape& s, int width, int64_t bytes, int maps)
      : count(s.samples * s.groups), packs(s.group_size() / width), table(table_bytes(s.each)) {
    while (threads < kMostThreads && threads * 4 < packs) threads *= 2;
    if (s.group_size() >= kManyEntries && count < 2 * multiprocessors())
      splits = splits_for(count, packs / (4 * kMostThreads));
    const int64_t stage = maps * ceil_div(s.group_size() * bytes, sizeof(uint4)) * sizeof(uint4);
    staged = splits == 1 && stage + table <= shared_for_two();
    shared = table + (staged ? stage : 0);
  }
};

// How a channels-last map is cut.
struct Columns {
  int64_t splits;
  dim3 block, grid;

  Columns(const Shape& s, int width) {
    const int64_t columns = s.channels / width, across = std::min<int64_t>(columns, kThreads);
    const int64_t down = kThreads / across, rest = ceil_div(columns, across);
    splits = splits_for(s.samples * rest, s.positions / (4 * down));
    block = dim3(static_cast<unsigned>(across), static_cast<unsigned>(down));
    TORCH_CHECK_VALUE(rest <= 65535, "ada_group_norm: ", s.channels, " channels are too many for a GPU");
    grid = dim3(blocks(s.samples * splits), static_cast<unsigned>(rest));
  }
};

// Tokens that share a row of modulation as the positions of a channels-last map.
Shape as_columns(const Shape& s) { return {s.rows, s.channels, s.share, s.groups, s.each, s.rows, 1}; }

enum class Walk { kContiguous, kChannelsLast, kRows };

Walk walk_of(const Shape& s, at::MemoryFormat layout) {
  if (layout != at::MemoryFormat::Contiguous) return Walk::kChannelsLast;
  return s.positions == 1 ? Walk::kRows : Walk::kContiguous;
}

// Entries that follow each other and share what the kernel knows of them.
int64_t stretch_of(const Shape& s, Walk walk) {
  return walk == Walk::kContiguous ? s.positions : walk == Walk::kChannelsLast ? s.channels : s.each;
}

unsigned warps_as_blocks(int64_t warps) { return blocks(ceil_div(warps, kThreads / kWarp)); }

// A buffer that lives as long as the tensor; freed in the order of the stream.
template <typename E>
E* buffer(at::Tensor& keeper, const at::Tensor& x, int64_t count) {
  keeper = at::empty({count * static_cast<int64_t>(sizeof(E))}, x.options().dtype(at::kByte).memory_format(std::nullopt));
  return reinterpret_cast<E*>(keeper.mutable_data_ptr());
}

bool aligned(const at::Tensor& t) { return reinterpret_cast<uintptr_t>(t.const_data_ptr()) % 16 == 0; }

// Runs f(T{}, integral_constant<V>, bool_constant<silu>): packs of 16 bytes if `whole` entries, which follow
// each other and share what is known of them, fill such packs.
template <typename F>
void by_type(const at::Tensor& x, bool silu, bool on_boundary, int64_t whole, F f) {
  const auto with = [&](auto value) {
    constexpr int kWidth = 16 / sizeof(value);
    const auto packed = [&](auto width) {
      silu ? f(value, width, std::true_type{}) : f(value, width, std::false_type{});
    };
    if (on_boundary && whole % kWidth == 0) {
      packed(std::integral_constant<int, kWidth>{});
    } else {
      packed(std::integral_constant<int, 1>{});
    }
  };
  if (x.scalar_type() == at::kFloat) {
    with(float{});
  } else if (x.scalar_type() == at::kHalf) {
    with(c10::Half{});
  } else if (x.scalar_type() == at::kBFloat16) {
    with(c10::BFloat16{});
  } else {
    TORCH_CHECK_TYPE(false, "ada_group_norm: x is ", x.scalar_type(),
                     "; the CUDA kernel takes float32, float16 and bfloat16");
  }
}

Forward forward(const at::Tensor& input, int64_t groups, const OptionalTensor& weight, const OptionalTensor& bias,
                const OptionalTensor& scale, const OptionalTensor& shift, const OptionalTensor& gain, double eps_,
                bool silu) {
  const c10::cuda::CUDAGuard guard(input.device());
  const Shape s = shape_of(input, groups, scale, shift, gain);
  const at::MemoryFormat layout = layout_of(input);
  const at::Tensor x = input.contiguous(layout);
  const Parts parts = parts_of(x, s, weight, bias, scale, shift, gain);
  at::Tensor y = at::empty_like(x, x.options().memory_format(layout));
  at::Tensor mean = at::empty({s.samples, groups}, x.options().dtype(at::kFloat).memory_format(std::nullopt));
  at::Tensor rstd = at::empty_like(mean);
  if (x.numel() == 0) return {y, mean.zero_(), rstd.zero_()};
  float *m = mean.mutable_data_ptr<float>(), *r = rstd.mutable_data_ptr<float>();
  const float eps = static_cast<float>(eps_);
  const Walk walk = walk_of(s, layout);
  by_type(x, silu, aligned(x) && aligned(y), stretch_of(s, walk), [&](auto value, auto width, auto activated) {
    using T = decltype(value);
    constexpr int V = decltype(width)::value;
    constexpr bool kSilu = decltype(activated)::value;
    const T* from = x.const_data_ptr<T>();
    T* to = y.mutable_data_ptr<T>();
    at::Tensor keeper;
    if (walk == Walk::kRows) {
      const int64_t chunks = ceil_div(s.share, kRowsABlock);
      launch(forward_rows<T, V, kSilu>, blocks(s.rows * chunks), kThreads, table_bytes(s.channels), from, to, m, r, s,
             parts, eps, chunks);
    } else if (walk == Walk::kContiguous) {
      const Groups cut(s, V, sizeof(T), 1);
      if (cut.splits == 1) {
        launch(forward_groups<T, V, kSilu>, blocks(cut.count), cut.threads, cut.shared, from, to, m, r, s, parts, eps,
               cut.staged);
        return;
      }
      Welford* partial = buffer<Welford>(keeper, x, cut.count * cut.splits);
      launch(moments_of_groups<T, V>, blocks(cut.count * cut.splits), cut.threads, 0, from, partial, s, cut.splits);
      launch(merge_moments, warps_as_blocks(cut.count), kThreads, 0, partial, m, r, s.samples, s.groups, 1, cut.splits,
             s.group_size(), eps);
      launch(apply_to_groups<T, V, kSilu>, blocks(cut.count * cut.splits), cut.threads, cut.table, from, to, m, r, s,
             parts, cut.splits);
    } else {
      const Columns cut(s, V);
      Welford* partial = buffer<Welford>(keeper, x, s.samples * cut.splits * s.channels);
      launch(moments_of_columns<T, V>, cut.grid, cut.block, 0, from, partial, s, cut.splits);
      launch(merge_moments, warps_as_blocks(s.samples * s.groups), kThreads, 0, partial, m, r, s.samples, s.groups,
             s.each, cut.splits, s.group_size(), eps);
      launch(apply_to_columns<T, V, kSilu>, cut.grid, cut.block, 0, from, to, m, r, s, parts, cut.splits);
    }
  });
  return {y, mean, rstd};
}

// From s₁ = Σ δ and s₂ = Σ δ x̂, (M, each, C), of which `each` belong to one row. A block takes kWarp channels and
// blockDim.y rows at a time; with weight or bias, grid.y is 1 and one block sees all rows of its channels.
__global__ void __launch_bounds__(kRowThreads)
    part_gradients(const float2* sums, int64_t each, Shape s, Parts parts, PartGradients to) {
  static __shared__ float2 scratch[kRowThreads];
  const int64_t c = static_cast<int64_t>(blockIdx.x) * kWarp + threadIdx.x;
  float2 all = make_float2(0.f, 0.f);
  if (c < s.channels) {
    for (int64_t m = static_cast<int64_t>(blockIdx.y) * blockDim.y + threadIdx.y; m < s.rows;
         m += static_cast<int64_t>(gridDim.y) * blockDim.y) {
      float2 sum = make_float2(0.f, 0.f);
      for (int64_t i = m * each; i < (m + 1) * each; ++i) {
        sum.x += sums[i * s.channels + c].x;
        sum.y += sums[i * s.channels + c].y;
      }
      const Derivative d = parts.at(m, c).derivative(sum.x, sum.y);
      const int64_t i = m * s.channels + c;
      if (to.scale) to.scale[i] = d.scale;
      if (to.shift) to.shift[i] = d.shift;
      if (to.gain) to.gain[i] = d.gain;
      all.x += d.weight;
      all.y += d.bias;
    }
  }
  if (!to.across_rows()) return;  // the whole grid leaves
  scratch[threadIdx.y * kWarp + threadIdx.x] = all;
  __syncthreads();
  if (threadIdx.y > 0 || c >= s.channels) return;
  for (int i = 1; i < blockDim.y; ++i) {
    all.x += scratch[i * kWarp + threadIdx.x].x;
    all.y += scratch[i * kWarp + threadIdx.x].y;
  }
  if (to.weight) to.weight[c] = all.x;
  if (to.bias) to.bias[c] = all.y;
}

Backward backward(const at::Tensor& grad_, const at::Tensor& input, const at::Tensor& mean_, const at::Tensor& rstd_,
                  int64_t groups, const OptionalTensor& weight, const OptionalTensor& bias,
                  const OptionalTensor& scale, const OptionalTensor& shift, const OptionalTensor& gain, bool silu) {
  const c10::cuda::CUDAGuard guard(input.device());
  const Shape s = shape_of(input, groups, scale, shift, gain);
  const at::MemoryFormat layout = layout_of(input);
  const at::Tensor x = input.contiguous(layout), grad = grad_.to(x.scalar_type()).contiguous(layout);
  const at::Tensor mean = mean_.contiguous(), rstd = rstd_.contiguous();
  const Parts parts = parts_of(x, s, weight, bias, scale, shift, gain);
  at::Tensor result = at::empty_like(x, x.options().memory_format(layout));
  PartTensors of_parts(x, weight, bias, scale, shift, gain);
  const PartGradients to_parts = of_parts.data();
  if (x.numel() == 0) {
    of_parts.zero();
    return of_parts.with(result);
  }
  const float *m = mean.const_data_ptr<float>(), *r = rstd.const_data_ptr<float>();
  const bool on_boundary = aligned(x) && aligned(grad) && aligned(result);
  const Walk walk = walk_of(s, layout);
  at::Tensor keep_sums, keep_partial, keep_shares;
  float2* sums = nullptr;  // (M, each, C)
  int64_t each = s.share;
  by_type(x, silu, on_boundary, stretch_of(s, walk), [&](auto value, auto width, auto activated) {
    using T = decltype(value);
    constexpr int V = decltype(width)::value;
    constexpr bool kSilu = decltype(activated)::value;
    const T *g = grad.const_data_ptr<T>(), *from = x.const_data_ptr<T>();
    T* to = result.mutable_data_ptr<T>();
    if (walk == Walk::kRows) {
      const int64_t chunks = ceil_div(s.share, kRowsABlock);
      launch(input_gradient_of_rows<T, V, kSilu>, blocks(s.rows * chunks), kThreads, table_bytes(s.channels), g, from,
             m, r, to, s, parts, chunks);
      if (!to_parts.any()) return;
      const Shape tokens = as_columns(s);
      const Columns cut(tokens, V);
      each = cut.splits;
      sums = buffer<float2>(keep_sums, x, s.rows * each * s.channels);
      launch(sums_of_columns<T, V, kSilu, true>, cut.grid, cut.block, 0, g, from, m, r, sums, tokens, parts, each);
      return;
    }
    sums = buffer<float2>(keep_sums, x, s.samples * s.channels);
    if (walk == Walk::kContiguous) {
      const Groups cut(s, V, sizeof(T), 2);
      if (cut.splits == 1) {
        // A warp for each channel, unless there are fewer channels than warps and work for all of them.
        const bool by_block = s.each < cut.threads / kWarp && s.positions / V >= 2 * kWarp;
        launch(backward_groups<T, V, kSilu>, blocks(cut.count), cut.threads, cut.shared, g, from, m, r, to, sums, s,
               parts, by_block, cut.staged);
        return;
      }
      const int64_t rows = s.samples * s.channels, splits = splits_for(rows, s.positions / V / kMostThreads);
      float2 *partial = buffer<float2>(keep_partial, x, rows * splits),
             *shares = buffer<float2>(keep_shares, x, cut.count);
      launch(sums_of_channels<T, V, kSilu>, blocks(rows * splits), kThreads, 0, g, from, m, r, partial, s, parts,
             splits);
      launch(merge_sums, warps_as_blocks(cut.count), kThreads, 0, partial, sums, shares, s, parts, splits);
      launch(input_gradient_of_groups<T, V, kSilu>, blocks(cut.count * cut.splits), cut.threads, cut.table, g, from, m,
             r, shares, to, s, parts, cut.splits);
    } else {
      const Columns cut(s, V);
      float2 *partial = buffer<float2>(keep_partial, x, s.samples * cut.splits * s.channels),
             *shares = buffer<float2>(keep_shares, x, s.samples * s.groups);
      launch(sums_of_columns<T, V, kSilu, false>, cut.grid, cut.block, 0, g, from, m, r, partial, s, parts,
             cut.splits);
      launch(merge_sums, warps_as_blocks(s.samples * s.groups), kThreads, 0, partial, sums, shares, s, parts,
             cut.splits);
      launch(input_gradient_of_columns<T, V, kSilu>, cut.grid, cut.block, 0, g, from, m, r, shares, to, s, parts,
             cut.splits);
    }
  });
  if (to_parts.any()) {
    const dim3 block(kWarp, kRowThreads / kWarp);
    const int64_t rounds = to_parts.across_rows() ? 1 : std::min<int64_t>(ceil_div(s.rows, block.y), 65535);
    const dim3 grid(blocks(ceil_div(s.channels, kWarp)), static_cast<unsigned>(rounds));
    launch(part_gradients, grid, block, 0, sums, each, s, parts, to_parts);
  }
  return of_parts.with(result);
}

}  // namespace
}  // namespace seqdis
