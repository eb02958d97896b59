// The CUDA operators on an emulated GPU, as torch.ops.seqdis_emulated.
#include "cuda_on_host.h"

namespace seqdis {
namespace {
uint4 memory[(163 << 10) / sizeof(uint4)];  // what kernels declare as extern __shared__
}
}  // namespace seqdis

#include "dispatch.cuh"

#include <torch/library.h>

TORCH_LIBRARY(seqdis_emulated, m) {
  m.def("ada_group_norm", &seqdis::forward);
  m.def("ada_group_norm_backward", &seqdis::backward);
  m.def("most_shared", [] { return std::exchange(emulator::most_shared, 0); });
}
