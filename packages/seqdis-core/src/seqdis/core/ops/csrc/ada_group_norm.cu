// AdaGN on NVIDIA GPUs (sm_80 and newer).
//
// Contiguous: a block takes a group, twice: first for the statistics (or for the sums of the gradient), then
// for the result, by when the group lies in L1 or L2. Where there are too few groups to fill the GPU, several
// blocks share one: they write partial results, a warp merges those, and a third kernel applies them.
// Channels-last: always in these three steps; a thread keeps to its channels and walks down the positions.
//
// Statistics are Welford's, merged by Chan's formula. Every sum has a fixed order: results are reproducible.
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "channels_last.cuh"
#include "contiguous.cuh"

namespace seqdis {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t multiprocessors() {
  int device = 0, count = 0;
  C10_CUDA_CHECK(cudaGetDevice(&device));
  C10_CUDA_CHECK(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device));
  return count;
}

// Blocks that share one of `units`, so that about four blocks come to a multiprocessor; `most` have work.
int64_t splits_for(int64_t units, int64_t most) {
  return std::clamp<int64_t>(ceil_div(4 * multiprocessors(), units), 1, std::max<int64_t>(most, 1));
}

// How a contiguous map is cut.
struct Groups {
  int64_t count, packs, splits;
  int threads;
  size_t shared;

  Groups(const Shape& s, int width)
      : count(s.samples * s.groups),
        packs(s.group_size() / width),
        splits(1),
        threads(64),
        shared(s.each <= kShared ? s.each * sizeof(float2) : 0) {
    while (threads < kMostThreads && threads * 4 < packs) threads *= 2;
    if (s.group_size() >= kManyEntries && count < 2 * multiprocessors())
      splits = splits_for(count, packs / (4 * kMostThreads));
  }

  unsigned blocks() const { return static_cast<unsigned>(count * splits); }
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
    grid = dim3(static_cast<unsigned>(s.samples * splits), static_cast<unsigned>(rest));
  }
};

unsigned warps_as_blocks(int64_t warps) { return static_cast<unsigned>(ceil_div(warps, kThreads / kWarp)); }

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
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream();
  const Shape s = shape_of(input, groups);
  const at::MemoryFormat layout = layout_of(input);
  const bool contiguous = layout == at::MemoryFormat::Contiguous;
  const at::Tensor x = input.contiguous(layout);
  const Parts parts = parts_of(x, weight, bias, scale, shift, gain);
  at::Tensor y = at::empty_like(x, x.options().memory_format(layout));
  at::Tensor mean = at::empty({s.samples, groups}, x.options().dtype(at::kFloat).memory_format(std::nullopt));
  at::Tensor rstd = at::empty_like(mean);
  if (x.numel() == 0) return {y, mean.zero_(), rstd.zero_()};
  float *m = mean.mutable_data_ptr<float>(), *r = rstd.mutable_data_ptr<float>();
  const float eps = static_cast<float>(eps_);
  by_type(x, silu, aligned(x) && aligned(y), contiguous ? s.positions : s.channels, [&](auto value, auto width, auto activated) {
    using T = decltype(value);
    constexpr int V = decltype(width)::value;
    constexpr bool kSilu = decltype(activated)::value;
    const T* from = x.const_data_ptr<T>();
    T* to = y.mutable_data_ptr<T>();
    at::Tensor keeper;
    if (contiguous) {
      const Groups cut(s, V);
      if (cut.splits == 1) {
        forward_groups<T, V, kSilu><<<cut.blocks(), cut.threads, cut.shared, stream>>>(from, to, m, r, s, parts, eps);
        C10_CUDA_KERNEL_LAUNCH_CHECK();
        return;
      }
      Welford* partial = buffer<Welford>(keeper, x, cut.count * cut.splits);
      moments_of_groups<T, V><<<cut.blocks(), cut.threads, 0, stream>>>(from, partial, s, cut.splits);
      C10_CUDA_KERNEL_LAUNCH_CHECK();
      merge_moments<<<warps_as_blocks(cut.count), kThreads, 0, stream>>>(partial, m, r, s.samples, s.groups, 1,
                                                                         cut.splits, s.group_size(), eps);
      C10_CUDA_KERNEL_LAUNCH_CHECK();
      apply_to_groups<T, V, kSilu>
          <<<cut.blocks(), cut.threads, cut.shared, stream>>>(from, to, m, r, s, parts, cut.splits);
      C10_CUDA_KERNEL_LAUNCH_CHECK();
      return;
    }
    const Columns cut(s, V);
    Welford* partial = buffer<Welford>(keeper, x, s.samples * cut.splits * s.channels);
    moments_of_columns<T, V><<<cut.grid, cut.block, 0, stream>>>(from, partial, s, cut.splits);
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    merge_moments<<<warps_as_blocks(s.samples * s.groups), kThreads, 0, stream>>>(
        partial, m, r, s.samples, s.groups, s.each, cut.splits, s.group_size(), eps);
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    apply_to_columns<T, V, kSilu><<<cut.grid, cut.block, 0, stream>>>(from, to, m, r, s, parts, cut.splits);
    C10_CUDA_KERNEL_LAUNCH_CHECK();
  });
  return {y, mean, rstd};
}

struct PartGradients {
  float *weight, *bias, *scale, *shift, *gain;  // null where the part is missing
};

// From sums (N, C) of s₁ = Σ δ and s₂ = Σ δ x̂. A block takes kWarp channels and blockDim.y samples at a time;
// with weight or bias, grid.y is 1 and one block sees all samples of its channels.
__global__ void part_gradients(const float2* sums, Shape s, Parts parts, PartGradients to) {
  __shared__ float2 scratch[kThreads];
  const int64_t c = static_cast<int64_t>(blockIdx.x) * kWarp + threadIdx.x;
  float2 all = make_float2(0.f, 0.f);
  if (c < s.channels) {
    for (int64_t n = static_cast<int64_t>(blockIdx.y) * blockDim.y + threadIdx.y; n < s.samples;
         n += static_cast<int64_t>(gridDim.y) * blockDim.y) {
      const int64_t i = n * s.channels + c;
      const float s1 = sums[i].x, s2 = sums[i].y;
      const float w = parts.weight.read(n, c, 1.f), b = parts.bias.read(n, c, 0.f);
      const float a = parts.scale.read(n, c, 1.f), z = parts.gain.read(n, c, 1.f);
      const float inner = w * s2 + b * s1;
      if (to.scale) to.scale[i] = z * inner;
      if (to.shift) to.shift[i] = z * s1;
      if (to.gain) to.gain[i] = a * inner + parts.shift.read(n, c, 0.f) * s1;
      all.x += z * a * s1;
      all.y += z * a * s2;
    }
  }
  if (!to.weight && !to.bias) return;  // the whole grid leaves
  scratch[threadIdx.y * kWarp + threadIdx.x] = all;
  __syncthreads();
  if (threadIdx.y > 0 || c >= s.channels) return;
  for (int i = 1; i < blockDim.y; ++i) {
    all.x += scratch[i * kWarp + threadIdx.x].x;
    all.y += scratch[i * kWarp + threadIdx.x].y;
  }
  if (to.bias) to.bias[c] = all.x;
  if (to.weight) to.weight[c] = all.y;
}

Backward backward(const at::Tensor& grad_, const at::Tensor& input, const at::Tensor& mean_, const at::Tensor& rstd_,
                  int64_t groups, const OptionalTensor& weight, const OptionalTensor& bias,
                  const OptionalTensor& scale, const OptionalTensor& shift, const OptionalTensor& gain, bool silu) {
  const c10::cuda::CUDAGuard guard(input.device());
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream();
  const Shape s = shape_of(input, groups);
  const at::MemoryFormat layout = layout_of(input);
  const bool contiguous = layout == at::MemoryFormat::Contiguous;
  const at::Tensor x = input.contiguous(layout), grad = grad_.to(x.scalar_type()).contiguous(layout);
  const at::Tensor mean = mean_.contiguous(), rstd = rstd_.contiguous();
  const Parts parts = parts_of(x, weight, bias, scale, shift, gain);
  at::Tensor result = at::empty_like(x, x.options().memory_format(layout));
  at::Tensor keep_sums, keep_partial, keep_shares;
  float2* sums = buffer<float2>(keep_sums, x, s.samples * s.channels);
  const float *m = mean.const_data_ptr<float>(), *r = rstd.const_data_ptr<float>();
  const bool on_boundary = aligned(x) && aligned(grad) && aligned(result);
  if (x.numel() > 0) {
    by_type(x, silu, on_boundary, contiguous ? s.positions : s.channels, [&](auto value, auto width, auto activated) {
      using T = decltype(value);
      constexpr int V = decltype(width)::value;
      constexpr bool kSilu = decltype(activated)::value;
      const T *g = grad.const_data_ptr<T>(), *from = x.const_data_ptr<T>();
      T* to = result.mutable_data_ptr<T>();
      if (contiguous) {
        const Groups cut(s, V);
        if (cut.splits == 1) {
          // A warp for each channel, unless there are fewer channels than warps and work for all of them.
          const bool by_block = s.each < cut.threads / kWarp && s.positions / V >= 2 * kWarp;
          backward_groups<T, V, kSilu>
              <<<cut.blocks(), cut.threads, cut.shared, stream>>>(g, from, m, r, to, sums, s, parts, by_block);
          C10_CUDA_KERNEL_LAUNCH_CHECK();
          return;
        }
        const int64_t rows = s.samples * s.channels;
        const int64_t splits = splits_for(rows, s.positions / V / kMostThreads);
        float2 *partial = buffer<float2>(keep_partial, x, rows * splits),
               *shares = buffer<float2>(keep_shares, x, cut.count);
        sums_of_channels<T, V, kSilu><<<static_cast<unsigned>(rows * splits), kThreads, 0, stream>>>(
            g, from, m, r, partial, s, parts, splits);
        C10_CUDA_KERNEL_LAUNCH_CHECK();
        merge_sums<<<warps_as_blocks(cut.count), kThreads, 0, stream>>>(partial, sums, shares, s, parts, splits);
        C10_CUDA_KERNEL_LAUNCH_CHECK();
        input_gradient_of_groups<T, V, kSilu><<<cut.blocks(), cut.threads, cut.shared, stream>>>(
            g, from, m, r, shares, to, s, parts, cut.splits);
        C10_CUDA_KERNEL_LAUNCH_CHECK();
        return;
      }
      const Columns cut(s, V);
      float2 *partial = buffer<float2>(keep_partial, x, s.samples * cut.splits * s.channels),
             *shares = buffer<float2>(keep_shares, x, s.samples * s.groups);
      sums_of_columns<T, V, kSilu><<<cut.grid, cut.block, 0, stream>>>(g, from, m, r, partial, s, parts, cut.splits);
      C10_CUDA_KERNEL_LAUNCH_CHECK();
      merge_sums<<<warps_as_blocks(s.samples * s.groups), kThreads, 0, stream>>>(partial, sums, shares, s, parts,
                                                                                 cut.splits);
      C10_CUDA_KERNEL_LAUNCH_CHECK();
      input_gradient_of_columns<T, V, kSilu>
          <<<cut.grid, cut.block, 0, stream>>>(g, from, m, r, shares, to, s, parts, cut.splits);
      C10_CUDA_KERNEL_LAUNCH_CHECK();
    });
  }
  at::Tensor gw = float_gradient(weight, x), gb = float_gradient(bias, x), ga = float_gradient(scale, x),
             gt = float_gradient(shift, x), gz = float_gradient(gain, x);
  const bool across = gw.defined() || gb.defined();
  if (x.numel() == 0) {
    for (at::Tensor* t : {&gw, &gb, &ga, &gt, &gz}) {
      if (t->defined()) t->zero_();
    }
  } else if (across || ga.defined() || gt.defined() || gz.defined()) {
    const auto data = [](at::Tensor& t) { return t.defined() ? t.mutable_data_ptr<float>() : nullptr; };
    const dim3 block(kWarp, kThreads / kWarp);
    const int64_t rounds = across ? 1 : std::min<int64_t>(ceil_div(s.samples, block.y), 65535);
    const dim3 grid(static_cast<unsigned>(ceil_div(s.channels, kWarp)), static_cast<unsigned>(rounds));
    part_gradients<<<grid, block, 0, stream>>>(sums, s, parts,
                                               PartGradients{data(gw), data(gb), data(ga), data(gt), data(gz)});
    C10_CUDA_KERNEL_LAUNCH_CHECK();
  }
  return {result,
          in_type_of(gw, weight, x),
          in_type_of(gb, bias, x),
          in_type_of(ga, scale, x),
          in_type_of(gt, shift, x),
          in_type_of(gz, gain, x)};
}

}  // namespace
}  // namespace seqdis

TORCH_LIBRARY_IMPL(seqdis, CUDA, m) {
  m.impl("ada_group_norm", &seqdis::forward);
  m.impl("ada_group_norm_backward", &seqdis::backward);
}
