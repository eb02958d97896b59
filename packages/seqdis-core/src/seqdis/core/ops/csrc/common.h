// What the kernels of the CPU and of CUDA share: the arguments of the two operators.
//
// With x̂ = (x − mean) · rstd the operator is y = act(P x̂ + Q), where for each sample and channel
//   P = gain · scale · weight,   Q = gain · (scale · bias + shift),
// and a part that is missing is 1 (a factor) or 0 (a summand). A row of scale, shift and gain may be shared
// by several samples next to each other (the tokens of a frame).
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <array>
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

// One of weight, bias (C,) or scale, shift, gain (M, C), in the type and with the strides it came with:
// scale and shift are the halves of one linear layer's output as a rule, and not worth a copy.
struct Part {
  const void* data = nullptr;
  int64_t row = 0;   // stride over rows; 0 for weight and bias
  int64_t step = 0;  // stride over channels
  Kind kind = Kind::kMissing;

  SEQDIS_HD float read(int64_t m, int64_t c, float missing) const {
    const int64_t i = m * row + c * step;
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

struct Affine {
  float p, q;
};

// What one row and channel adds to the gradient of each part.
struct Derivative {
  float weight, bias, scale, shift, gain;
};

// All five at one row and channel.
struct Values {
  float weight, bias, scale, shift, gain;

  SEQDIS_HD Affine affine() const { return {gain * scale * weight, gain * (scale * bias + shift)}; }

  // From s₁ = Σ δ and s₂ = Σ δ x̂, δ = ∂L/∂(P x̂ + Q), over all that the row modulates.
  SEQDIS_HD Derivative derivative(float s1, float s2) const {
    const float inner = weight * s2 + bias * s1;
    return {gain * scale * s2, gain * scale * s1, gain * inner, gain * s1, scale * inner + shift * s1};
  }
};

struct Parts {
  Part weight, bias, scale, shift, gain;

  SEQDIS_HD Values at(int64_t m, int64_t c) const {
    return {weight.read(m, c, 1.f), bias.read(m, c, 0.f), scale.read(m, c, 1.f), shift.read(m, c, 0.f),
            gain.read(m, c, 1.f)};
  }
};

// (N, C, positions) in groups of `each` channels; `rows` M of modulation, each of `share` samples.
struct Shape {
  int64_t samples, channels, positions, groups, each, rows, share;

  SEQDIS_HD int64_t group_size() const { return each * positions; }
};

inline Shape shape_of(const at::Tensor& x, int64_t groups, const OptionalTensor& scale, const OptionalTensor& shift,
                      const OptionalTensor& gain) {
  TORCH_CHECK_VALUE(x.dim() >= 2, "ada_group_norm: x has ", x.dim(), " dimensions; needed: at least 2");
  TORCH_CHECK_VALUE(groups > 0 && x.size(1) % groups == 0, "ada_group_norm: ", x.size(1),
                    " channels do not split into ", groups, " groups");
  int64_t positions = 1;
  for (int64_t i = 2; i < x.dim(); ++i) positions *= x.size(i);
  const int64_t samples = x.size(0);
  int64_t rows = std::min<int64_t>(samples, 1);
  for (const OptionalTensor* part : {&scale, &shift, &gain}) {
    if (part->has_value() && (*part)->dim() == 2) rows = (*part)->size(0);
  }
  TORCH_CHECK_VALUE(rows == samples || (rows > 0 && samples > rows && samples % rows == 0), "ada_group_norm: ", samples,
                    " samples do not share ", rows, " rows of scale, shift and gain");
  return {samples, x.size(1), positions, groups, x.size(1) / groups, rows, samples > 0 ? samples / rows : 1};
}

// Channels-last where x is exactly that, else contiguous: what memory_format_of says in Python.
inline at::MemoryFormat layout_of(const at::Tensor& x) {
  if (!x.is_contiguous()) {
    if (x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast)) return at::MemoryFormat::ChannelsLast;
    if (x.dim() == 5 && x.is_contiguous(at::MemoryFormat::ChannelsLast3d)) return at::MemoryFormat::ChannelsLast3d;
  }
  return at::MemoryFormat::Contiguous;
}

inline Part part_of(const OptionalTensor& value, const at::Tensor& x, std::optional<int64_t> rows, const char* name) {
  if (!value.has_value()) return {};
  const at::Tensor& t = *value;
  TORCH_CHECK_VALUE(t.device() == x.device(), "ada_group_norm: ", name, " is on ", t.device(), ", x on ", x.device());
  const bool fits = rows.has_value() ? t.dim() == 2 && t.size(0) == *rows && t.size(1) == x.size(1)
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
  return {t.const_data_ptr(), rows.has_value() ? t.stride(0) : 0, t.stride(-1), kind};
}

inline Parts parts_of(const at::Tensor& x, const Shape& s, const OptionalTensor& weight, const OptionalTensor& bias,
                      const OptionalTensor& scale, const OptionalTensor& shift, const OptionalTensor& gain) {
  return {part_of(weight, x, std::nullopt, "weight"), part_of(bias, x, std::nullopt, "bias"),
          part_of(scale, x, s.rows, "scale"), part_of(shift, x, s.rows, "shift"), part_of(gain, x, s.rows, "gain")};
}

// Where the gradients of the parts are written, in float32; null where the part is missing.
struct PartGradients {
  float *weight, *bias, *scale, *shift, *gain;

  SEQDIS_HD bool across_rows() const { return weight || bias; }
  bool any() const { return weight || bias || scale || shift || gain; }
};

// The gradients of the parts as tensors, each returned in its part's type; that of a missing one has no elements.
class PartTensors {
 public:
  PartTensors(const at::Tensor& x, const OptionalTensor& weight, const OptionalTensor& bias,
              const OptionalTensor& scale, const OptionalTensor& shift, const OptionalTensor& gain)
      : x_(x), parts_{&weight, &bias, &scale, &shift, &gain} {
    for (size_t i = 0; i < parts_.size(); ++i) {
      if (parts_[i]->has_value()) {
        tensors_[i] = at::empty((*parts_[i])->sizes(), x.options().dtype(at::kFloat).memory_format(std::nullopt));
      }
    }
  }

  PartGradients data() {
    const auto at = [&](size_t i) { return tensors_[i].defined() ? tensors_[i].mutable_data_ptr<float>() : nullptr; };
    return {at(0), at(1), at(2), at(3), at(4)};
  }

  void zero() {
    for (at::Tensor& t : tensors_) {
      if (t.defined()) t.zero_();
    }
  }

  Backward with(const at::Tensor& of_x) const {
    const auto at = [&](size_t i) {
      return tensors_[i].defined() ? tensors_[i].to((*parts_[i])->scalar_type()) : at::empty({0}, x_.options());
    };
    return {of_x, at(0), at(1), at(2), at(3), at(4)};
  }

 private:
  const at::Tensor& x_;
  std::array<const OptionalTensor*, 5> parts_;
  std::array<at::Tensor, 5> tensors_;
};

}  // namespace seqdis
