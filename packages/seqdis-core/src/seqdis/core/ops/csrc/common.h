// What the kernels of the CPU and of CUDA share: the arguments of the two operators.
//
// With x̂ = (x − mean) · rstd the operator is y = act(P x̂ + Q), where for each sample and channel
//   P = gain · scale · weight,   Q = gain · (scale · bias + shift),
// and a part that is missing is 1 (a factor) or 0 (a summand).
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>

#if defined(__CUDACC__)
#define SEQDIS_HD __host__ __device__ __forceinline__
#else
#define SEQDIS_HD inline
#endif

namespace seqdis {

using OptionalTensor = std::optional<at::Tensor>;
using Forward = std::tuple<at::Tensor, at::Tensor, at::Tensor>;
using Backward = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

enum class Kind : int { kMissing, kFloat, kHalf, kBFloat16 };

// One of weight, bias (C,) or scale, shift, gain (N, C), in the type and with the strides it came with:
// scale and shift are the halves of one linear layer's output as a rule, and not worth a copy.
struct Part {
  const void* data = nullptr;
  int64_t row = 0;   // stride over samples; 0 for weight and bias
  int64_t step = 0;  // stride over channels
  Kind kind = Kind::kMissing;

  SEQDIS_HD float read(int64_t n, int64_t c, float missing) const {
    const int64_t i = n * row + c * step;
    switch (kind) {
      case Kind::kFloat:
        return static_cast<const float*>(data)[i];
      case Kind::kHalf:
        return static_cast<float>(static_cast<const c10::Half*>(data)[i]);
      case Kind::kBFloat16:
        return static_cast<float>(static_cast<const c10::BFloat16*>(data)[i]);
      default:
        return missing;
    }
  }
};

struct Parts {
  Part weight, bias, scale, shift, gain;

  SEQDIS_HD float p(int64_t n, int64_t c) const {
    return gain.read(n, c, 1.f) * scale.read(n, c, 1.f) * weight.read(n, c, 1.f);
  }

  SEQDIS_HD float q(int64_t n, int64_t c) const {
    return gain.read(n, c, 1.f) * (scale.read(n, c, 1.f) * bias.read(n, c, 0.f) + shift.read(n, c, 0.f));
  }
};

// (N, C, positions) in groups of `each` channels.
struct Shape {
  int64_t samples, channels, positions, groups, each;

  SEQDIS_HD int64_t group_size() const { return each * positions; }
};

inline Shape shape_of(const at::Tensor& x, int64_t groups) {
  TORCH_CHECK_VALUE(x.dim() >= 2, "ada_group_norm: x has ", x.dim(), " dimensions; needed: at least 2");
  TORCH_CHECK_VALUE(groups > 0 && x.size(1) % groups == 0, "ada_group_norm: ", x.size(1),
                    " channels do not split into ", groups, " groups");
  int64_t positions = 1;
  for (int64_t i = 2; i < x.dim(); ++i) positions *= x.size(i);
  return {x.size(0), x.size(1), positions, groups, x.size(1) / groups};
}

// Channels-last where x is exactly that, else contiguous: what memory_format_of says in Python.
inline at::MemoryFormat layout_of(const at::Tensor& x) {
  if (!x.is_contiguous()) {
    if (x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast)) return at::MemoryFormat::ChannelsLast;
    if (x.dim() == 5 && x.is_contiguous(at::MemoryFormat::ChannelsLast3d)) return at::MemoryFormat::ChannelsLast3d;
  }
  return at::MemoryFormat::Contiguous;
}

inline Part part_of(const OptionalTensor& value, const at::Tensor& x, bool per_sample, const char* name) {
  if (!value.has_value()) return {};
  const at::Tensor& t = *value;
  TORCH_CHECK_VALUE(t.device() == x.device(), "ada_group_norm: ", name, " is on ", t.device(), ", x on ", x.device());
  const bool fits = per_sample ? t.dim() == 2 && t.size(0) == x.size(0) && t.size(1) == x.size(1)
                               : t.dim() == 1 && t.size(0) == x.size(1);
  TORCH_CHECK_VALUE(fits, "ada_group_norm: ", name, " is ", t.sizes(), "; x is ", x.sizes());
  Kind kind = Kind::kFloat;
  if (t.scalar_type() == at::kHalf) {
    kind = Kind::kHalf;
  } else if (t.scalar_type() == at::kBFloat16) {
    kind = Kind::kBFloat16;
  } else {
    TORCH_CHECK_VALUE(t.scalar_type() == at::kFloat, "ada_group_norm: ", name, " is ", t.scalar_type(),
                      "; the kernels take float32, float16 and bfloat16");
  }
  return {t.const_data_ptr(), per_sample ? t.stride(0) : 0, t.stride(-1), kind};
}

inline Parts parts_of(const at::Tensor& x, const OptionalTensor& weight, const OptionalTensor& bias,
                      const OptionalTensor& scale, const OptionalTensor& shift, const OptionalTensor& gain) {
  return {part_of(weight, x, false, "weight"), part_of(bias, x, false, "bias"), part_of(scale, x, true, "scale"),
          part_of(shift, x, true, "shift"), part_of(gain, x, true, "gain")};
}

// The gradient of a part is computed in float32 and has its type; a missing one has no elements.
inline at::Tensor float_gradient(const OptionalTensor& part, const at::Tensor& x) {
  return part.has_value() ? at::empty(part->sizes(), x.options().dtype(at::kFloat).memory_format(std::nullopt))
                          : at::Tensor();
}

inline at::Tensor in_type_of(const at::Tensor& gradient, const OptionalTensor& part, const at::Tensor& x) {
  return part.has_value() ? gradient.to(part->scalar_type()) : at::empty({0}, x.options());
}

}  // namespace seqdis
