// AdaGN on the CPU: which kernel takes a map, and the gradients of the parts.
#include "cpu_channels_last.h"
#include "cpu_contiguous.h"
#include "cpu_rows.h"
#include "operator.h"

namespace seqdis {
namespace {

enum class Walk { kContiguous, kChannelsLast, kRows };

Walk walk_of(const Shape& s, at::MemoryFormat layout) {
  if (layout != at::MemoryFormat::Contiguous) return Walk::kChannelsLast;
  return s.positions == 1 ? Walk::kRows : Walk::kContiguous;
}

// Runs f(T{}, std::bool_constant) for the type of x and the activation.
template <typename F>
void by_type(const at::Tensor& x, bool silu, F f) {
  const auto with = [&](auto value) { silu ? f(value, std::true_type{}) : f(value, std::false_type{}); };
  if (x.scalar_type() == at::kFloat) {
    with(float{});
  } else if (x.scalar_type() == at::kBFloat16) {
    with(at::BFloat16{});
  } else {
    TORCH_CHECK_TYPE(false, "ada_group_norm: x is ", x.scalar_type(), "; the CPU kernel takes float32 and bfloat16");
  }
}

Forward forward(const at::Tensor& input, int64_t groups, const OptionalTensor& weight, const OptionalTensor& bias,
                const OptionalTensor& scale, const OptionalTensor& shift, const OptionalTensor& gain, double eps,
                bool silu) {
  const Shape s = shape_of(input, groups, scale, shift, gain);
  const at::MemoryFormat layout = layout_of(input);
  const at::Tensor x = input.contiguous(layout);
  const Parts parts = parts_of(x, s, weight, bias, scale, shift, gain);
  at::Tensor y = at::empty_like(x, x.options().memory_format(layout));
  at::Tensor mean = at::empty({s.samples, groups}, x.options().dtype(at::kFloat)), rstd = at::empty_like(mean);
  if (x.numel() == 0) return {y, mean.zero_(), rstd.zero_()};
  by_type(x, silu, [&](auto value, auto activated) {
    using T = decltype(value);
    constexpr bool kSilu = decltype(activated)::value;
    const Walk walk = walk_of(s, layout);
    const auto kernel = walk == Walk::kRows         ? forward_rows<T, kSilu>
                        : walk == Walk::kContiguous ? forward_contiguous<T, kSilu>
                                                    : forward_channels_last<T, kSilu>;
    kernel(x.const_data_ptr<T>(), y.mutable_data_ptr<T>(), mean.mutable_data_ptr<float>(),
           rstd.mutable_data_ptr<float>(), s, parts, eps);
  });
  return {y, mean, rstd};
}

// From s₁ = Σ δ and s₂ = Σ δ x̂, (M, each, C), of which `each` belong to one row.
void part_gradients(const float* s1, const float* s2, int64_t each, const Shape& s, const Parts& parts,
                    const PartGradients& to) {
  PartRows rows(s.channels);
  std::vector<double> sum1(s.channels), sum2(s.channels), of_weight(s.channels, 0.0), of_bias(s.channels, 0.0);
  std::vector<float> unasked(s.channels);
  for (int64_t m = 0; m < s.rows; ++m) {
    rows.read(parts, m, 0, s.channels);
    std::fill(sum1.begin(), sum1.end(), 0.0);
    std::fill(sum2.begin(), sum2.end(), 0.0);
    for (int64_t i = m * each; i < (m + 1) * each; ++i) {
      for (int64_t c = 0; c < s.channels; ++c) {
        sum1[c] += s1[i * s.channels + c];
        sum2[c] += s2[i * s.channels + c];
      }
    }
    const auto at = [&](float* gradient) { return gradient ? gradient + m * s.channels : unasked.data(); };
    float *scale = at(to.scale), *shift = at(to.shift), *gain = at(to.gain);
    for (int64_t c = 0; c < s.channels; ++c) {
      const Derivative d = rows.at(c).derivative(static_cast<float>(sum1[c]), static_cast<float>(sum2[c]));
      of_weight[c] += d.weight;
      of_bias[c] += d.bias;
      scale[c] = d.scale;
      shift[c] = d.shift;
      gain[c] = d.gain;
    }
  }
  if (to.weight) std::copy(of_weight.begin(), of_weight.end(), to.weight);
  if (to.bias) std::copy(of_bias.begin(), of_bias.end(), to.bias);
}

Backward backward(const at::Tensor& grad_, const at::Tensor& input, const at::Tensor& mean_, const at::Tensor& rstd_,
                  int64_t groups, const OptionalTensor& weight, const OptionalTensor& bias,
                  const OptionalTensor& scale, const OptionalTensor& shift, const OptionalTensor& gain, bool silu) {
  const Shape s = shape_of(input, groups, scale, shift, gain);
  const at::MemoryFormat layout = layout_of(input);
  const at::Tensor x = input.contiguous(layout), grad = grad_.to(x.scalar_type()).contiguous(layout);
  const at::Tensor mean = mean_.contiguous(), rstd = rstd_.contiguous();
  const Parts parts = parts_of(x, s, weight, bias, scale, shift, gain);
  at::Tensor result = at::empty_like(x, x.options().memory_format(layout));
  PartTensors of_parts(x, weight, bias, scale, shift, gain);
  const PartGradients to = of_parts.data();
  if (x.numel() == 0) {
    of_parts.zero();
    return of_parts.with(result);
  }
  const Walk walk = walk_of(s, layout);
  const int64_t each = walk == Walk::kRows ? chunks_of(s) : s.share;
  const at::Tensor sums = at::empty({2, s.rows * each, s.channels}, x.options().dtype(at::kFloat));
  float *s1 = sums.mutable_data_ptr<float>(), *s2 = s1 + sums.numel() / 2;
  by_type(x, silu, [&](auto value, auto activated) {
    using T = decltype(value);
    constexpr bool kSilu = decltype(activated)::value;
    const auto kernel = walk == Walk::kRows         ? backward_rows<T, kSilu>
                        : walk == Walk::kContiguous ? backward_contiguous<T, kSilu>
                                                    : backward_channels_last<T, kSilu>;
    kernel(grad.const_data_ptr<T>(), x.const_data_ptr<T>(), mean.const_data_ptr<float>(), rstd.const_data_ptr<float>(),
           result.mutable_data_ptr<T>(), s1, s2, s, parts);
  });
  if (to.any()) part_gradients(s1, s2, each, s, parts, to);
  return of_parts.with(result);
}

}  // namespace
}  // namespace seqdis

SEQDIS_REGISTER(CPU)
