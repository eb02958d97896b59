// As much of CUDA as the kernels use, on the host: the threads of a block are fibers of one thread, which take
// turns at barriers and shuffles. Blocks run one after the other, so that this finds wrong results and barriers
// that not all threads reach, but no race between threads or blocks, and says nothing of speed.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <type_traits>
#include <vector>

#include <c10/core/Device.h>
#include <c10/util/Exception.h>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__  // what is static or extern is shared: one thread runs all fibers

struct float2 {
  float x, y;
};
inline float2 make_float2(float x, float y) { return {x, y}; }

struct alignas(16) uint4 {
  unsigned x, y, z, w;
};

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

inline dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace emulator {

constexpr int kWarp = 32;
constexpr size_t kStack = 64 << 10;

struct Barrier {
  int members = 0, arrived = 0;
  int64_t rounds = 0;
};

struct Fiber {
  ucontext_t start;
  jmp_buf at;
  std::unique_ptr<char[]> stack = std::make_unique<char[]>(kStack);
  bool begun = false, done = false;
  dim3 thread;
  int number = 0, shuffles = 0;
};

struct Machine {
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<Barrier> warps;
  std::vector<char> exchanged;  // (warps, 2, lanes, 8 bytes)
  Barrier block;
  Fiber* current = nullptr;
  jmp_buf scheduler;
  std::function<void()> body;
  int64_t progress = 0;
};

inline Machine machine;

inline void yield() {
  Fiber* self = machine.current;
  if (_setjmp(self->at) == 0) _longjmp(machine.scheduler, 1);
}

inline void wait(Barrier& barrier) {
  const int64_t round = barrier.rounds;
  if (++barrier.arrived == barrier.members) {
    barrier.arrived = 0;
    ++barrier.rounds;
    ++machine.progress;
    return;
  }
  while (barrier.rounds == round) yield();
}

inline void run_fiber() {
  machine.body();
  machine.current->done = true;
  ++machine.progress;
  _longjmp(machine.scheduler, 1);
}

// Not inlined: what lives in registers across _setjmp would be lost.
__attribute__((noinline)) inline void resume(Fiber* fiber) {
  machine.current = fiber;
  threadIdx = fiber->thread;
  if (_setjmp(machine.scheduler) != 0) return;
  if (fiber->begun) _longjmp(fiber->at, 1);
  fiber->begun = true;
  setcontext(&fiber->start);
}

inline void run_block(int threads) {
  machine.block = {threads};
  machine.warps.assign((threads + kWarp - 1) / kWarp, Barrier{});
  machine.exchanged.assign(machine.warps.size() * 2 * kWarp * 8, 0);
  while (static_cast<int>(machine.fibers.size()) < threads) machine.fibers.push_back(std::make_unique<Fiber>());
  const dim3 size = blockDim;
  for (int i = 0; i < threads; ++i) {
    ++machine.warps[i / kWarp].members;
    Fiber& fiber = *machine.fibers[i];
    getcontext(&fiber.start);
    fiber.start.uc_stack.ss_sp = fiber.stack.get();
    fiber.start.uc_stack.ss_size = kStack;
    fiber.start.uc_link = nullptr;
    makecontext(&fiber.start, run_fiber, 0);
    fiber.begun = fiber.done = false;
    fiber.number = i;
    fiber.shuffles = 0;
    const unsigned at = static_cast<unsigned>(i);
    fiber.thread = dim3(at % size.x, at / size.x % size.y, at / size.x / size.y);
  }
  for (int left = threads; left > 0;) {
    const int64_t before = machine.progress;
    left = 0;
    for (int i = 0; i < threads; ++i) {
      if (machine.fibers[i]->done) continue;
      resume(machine.fibers[i].get());
      left += !machine.fibers[i]->done;
    }
    TORCH_CHECK(left == 0 || machine.progress > before, "emulated CUDA: ", left, " threads wait at a barrier for others");
  }
}

// The largest block of shared memory that a kernel asked for since the last call.
inline int64_t most_shared = 0;

}  // namespace emulator

inline void __syncthreads() { emulator::wait(emulator::machine.block); }

template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int step) {
  TORCH_CHECK(mask == 0xffffffffu, "emulated CUDA: shuffles take whole warps");
  emulator::Fiber* self = emulator::machine.current;
  const int warp = self->number / emulator::kWarp, lane = self->number % emulator::kWarp;
  // Two buffers in turn: a lane that is ahead must not overwrite what others still read.
  char* buffer = emulator::machine.exchanged.data() + (warp * 2 + self->shuffles++ % 2) * emulator::kWarp * 8;
  std::memcpy(buffer + lane * 8, &value, sizeof(T));
  emulator::wait(emulator::machine.warps[warp]);
  std::memcpy(&value, buffer + (lane ^ step) * 8, sizeof(T));
  return value;
}

inline float rsqrtf(float x) { return 1.f / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
inline float __frcp_rn(float x) { return 1.f / x; }

using cudaStream_t = void*;
enum cudaDeviceAttr {
  cudaDevAttrMultiProcessorCount,
  cudaDevAttrMaxSharedMemoryPerMultiprocessor,
  cudaDevAttrMaxSharedMemoryPerBlockOptin,
};
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };
struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
};

// A small GPU, so that maps of a test are large for it: four multiprocessors with the shared memory of sm_80.
inline int cudaGetDevice(int* device) { return *device = 0; }
inline int cudaDeviceGetAttribute(int* value, cudaDeviceAttr name, int) {
  *value = name == cudaDevAttrMultiProcessorCount               ? 4
           : name == cudaDevAttrMaxSharedMemoryPerMultiprocessor ? 164 << 10
                                                                 : 163 << 10;
  return 0;
}
inline int cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) { return 0; }

template <typename... Expected, typename... Given>
int cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Expected...), Given... given) {
  emulator::Machine& m = emulator::machine;
  gridDim = config->gridDim;
  blockDim = config->blockDim;
  emulator::most_shared = std::max<int64_t>(emulator::most_shared, config->dynamicSmemBytes);
  TORCH_CHECK(config->dynamicSmemBytes <= (163 << 10), "emulated CUDA: too much shared memory");
  m.body = [&] { kernel(given...); };
  for (unsigned y = 0; y < gridDim.y; ++y) {
    for (unsigned x = 0; x < gridDim.x; ++x) {
      blockIdx = dim3(x, y);
      emulator::run_block(static_cast<int>(blockDim.x * blockDim.y * blockDim.z));
    }
  }
  return 0;
}

namespace c10::cuda {
struct CUDAGuard {
  explicit CUDAGuard(c10::Device) {}
};
inline cudaStream_t getCurrentCUDAStream() { return nullptr; }
}  // namespace c10::cuda

#define C10_CUDA_CHECK(call) TORCH_CHECK((call) == 0, #call)
#define C10_CUDA_KERNEL_LAUNCH_CHECK()
