// The two operators of a device, forward and backward, and the derivative that ties them: in C++, for through
// Python it takes longer than a small map itself.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "common.h"

namespace seqdis {

using ForwardFunction = Forward(const at::Tensor&, int64_t, const OptionalTensor&, const OptionalTensor&,
                                const OptionalTensor&, const OptionalTensor&, const OptionalTensor&, double, bool);
using BackwardFunction = Backward(const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&, int64_t,
                                  const OptionalTensor&, const OptionalTensor&, const OptionalTensor&,
                                  const OptionalTensor&, const OptionalTensor&, bool);

struct Derived : torch::autograd::Function<Derived> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* ctx, const at::Tensor& x,
                                                int64_t groups, const OptionalTensor& weight,
                                                const OptionalTensor& bias, const OptionalTensor& scale,
                                                const OptionalTensor& shift, const OptionalTensor& gain, double eps,
                                                bool silu) {
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("seqdis::ada_group_norm", "")
                               .typed<ForwardFunction>();
    at::AutoDispatchBelowADInplaceOrView below;
    auto [y, mean, rstd] = op.call(x, groups, weight, bias, scale, shift, gain, eps, silu);
    const at::Tensor none;
    ctx->save_for_backward({x, mean, rstd, weight.value_or(none), bias.value_or(none), scale.value_or(none),
                            shift.value_or(none), gain.value_or(none)});
    ctx->saved_data["groups"] = groups;
    ctx->saved_data["silu"] = silu;
    ctx->mark_non_differentiable({mean, rstd});
    ctx->set_materialize_grads(false);
    return {y, mean, rstd};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 const torch::autograd::variable_list& grads) {
    if (!grads[0].defined()) return torch::autograd::variable_list(9);
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("seqdis::ada_group_norm_backward", "")
                               .typed<BackwardFunction>();
    const auto saved = ctx->get_saved_variables();
    const auto part = [&](size_t i) { return saved[i].defined() ? OptionalTensor(saved[i]) : std::nullopt; };
    auto [x, weight, bias, scale, shift, gain] =
        op.call(grads[0], saved[0], saved[1], saved[2], ctx->saved_data["groups"].toInt(), part(3), part(4), part(5),
                part(6), part(7), ctx->saved_data["silu"].toBool());
    const at::Tensor none;
    const auto of = [&](size_t i, const at::Tensor& gradient) { return saved[i].defined() ? gradient : none; };
    return {x, none, of(3, weight), of(4, bias), of(5, scale), of(6, shift), of(7, gain), none, none};
  }
};

inline Forward differentiable(const at::Tensor& x, int64_t groups, const OptionalTensor& weight,
                              const OptionalTensor& bias, const OptionalTensor& scale, const OptionalTensor& shift,
                              const OptionalTensor& gain, double eps, bool silu) {
  const auto found = Derived::apply(x, groups, weight, bias, scale, shift, gain, eps, silu);
  return {found[0], found[1], found[2]};
}

}  // namespace seqdis

#define SEQDIS_REGISTER(device)                             \
  TORCH_LIBRARY_IMPL(seqdis, device, m) {                   \
    m.impl("ada_group_norm", &seqdis::forward);             \
    m.impl("ada_group_norm_backward", &seqdis::backward);   \
  }                                                         \
  TORCH_LIBRARY_IMPL(seqdis, Autograd##device, m) {         \
    m.impl("ada_group_norm", &seqdis::differentiable);      \
  }
