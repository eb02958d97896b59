// What the CPU kernels share: float32 in vectors, whatever the type in memory; sums; moments.
//
// Statistics take two passes, the first over x less its first entry: neither a large mean nor an outlier
// costs digits. Long sums run in float32 for a stretch, then go on in float64.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/cpu/vec/functional.h>
#include <ATen/cpu/vec/vec.h>

#include <cmath>
#include <vector>

#include "common.h"

namespace seqdis {
namespace {

using Vec = at::vec::Vectorized<float>;
constexpr int64_t kLanes = Vec::size();
constexpr int64_t kStep = 2 * kLanes;
constexpr int64_t kStretch = 256 * kStep;  // entries, or rows, that are summed in float32
constexpr int64_t kRows = 256;
constexpr int64_t kGrain = 32768;          // entries that are worth a thread

struct Pair {
  Vec a, b;
};

inline Pair load(const float* p) { return {Vec::loadu(p), Vec::loadu(p + kLanes)}; }

inline Pair load(const at::BFloat16* p) {
  auto [a, b] = at::vec::convert_to_float<at::BFloat16>(at::vec::Vectorized<at::BFloat16>::loadu(p));
  return {a, b};
}

inline void store(float* p, const Pair& v) {
  v.a.store(p);
  v.b.store(p + kLanes);
}

inline void store(at::BFloat16* p, const Pair& v) { at::vec::convert_from_float<at::BFloat16>(v.a, v.b).store(p); }

// The last entries of a row, fewer than kStep; the lanes beyond hold `pad`.
template <typename T>
Pair load_tail(const T* p, int64_t count, float pad) {
  alignas(64) float buffer[kStep];
  for (int64_t i = 0; i < kStep; ++i) buffer[i] = i < count ? static_cast<float>(p[i]) : pad;
  return load(buffer);
}

template <typename T>
void store_tail(T* p, const Pair& v, int64_t count) {
  alignas(64) float buffer[kStep];
  store(buffer, v);
  for (int64_t i = 0; i < count; ++i) p[i] = static_cast<T>(buffer[i]);
}

inline float lanes_sum(const Vec& v) {
  alignas(64) float buffer[kLanes];
  v.store(buffer);
  float sum = 0;
  for (int64_t i = 0; i < kLanes; ++i) sum += buffer[i];
  return sum;
}

inline Vec sigmoid(const Vec& w) { return Vec(1.f) / (Vec(1.f) + w.neg().exp_u20()); }

template <bool kSilu>
inline Vec activate(const Vec& w) {
  if constexpr (kSilu) return w / (Vec(1.f) + w.neg().exp_u20());
  return w;
}

// ∂L/∂w from ∂L/∂y.
template <bool kSilu>
inline Vec deactivate(const Vec& grad, const Vec& w) {
  if constexpr (kSilu) {
    const Vec gate = sigmoid(w);
    return grad * gate * at::vec::fmadd(w, Vec(1.f) - gate, Vec(1.f));
  }
  return grad;
}

// Σ f(x) over a row; f(pad) must be 0.
template <typename T, typename F>
double row_sum(const T* x, int64_t count, float pad, F f) {
  double total = 0;
  for (int64_t start = 0; start < count; start += kStretch) {
    const int64_t stop = std::min(count, start + kStretch);
    Vec a(0.f), b(0.f), c(0.f), d(0.f);
    int64_t i = start;
    for (; i + 2 * kStep <= stop; i += 2 * kStep) {
      const Pair v = load(x + i), w = load(x + i + kStep);
      a = a + f(v.a);
      b = b + f(v.b);
      c = c + f(w.a);
      d = d + f(w.b);
    }
    for (; i < stop; i += kStep) {
      const Pair v = i + kStep <= stop ? load(x + i) : load_tail(x + i, stop - i, pad);
      a = a + f(v.a);
      b = b + f(v.b);
    }
    total += lanes_sum((a + b) + (c + d));
  }
  return total;
}

// Numbers of each channel of a task, with room for a whole vector at the end.
using Row = std::vector<float>;

inline Row row(int64_t channels) { return Row((channels + kStep - 1) / kStep * kStep, 0.f); }

inline void read_row(const Part& part, int64_t m, int64_t first, int64_t count, float missing, Row& to) {
  const auto copy = [&](const auto* from) {
    for (int64_t k = 0; k < count; ++k) to[k] = static_cast<float>(from[m * part.row + (first + k) * part.step]);
  };
  switch (part.kind) {
    case Kind::kFloat:
      return copy(static_cast<const float*>(part.data));
    case Kind::kHalf:
      return copy(static_cast<const at::Half*>(part.data));
    case Kind::kBFloat16:
      return copy(static_cast<const at::BFloat16*>(part.data));
    default:
      std::fill_n(to.begin(), count, missing);
  }
}

// The parts of `count` channels from `first` on, in row m of the modulation.
struct PartRows {
  Row weight, bias, scale, shift, gain;

  explicit PartRows(int64_t channels)
      : weight(row(channels)), bias(weight), scale(weight), shift(weight), gain(weight) {}

  void read(const Parts& parts, int64_t m, int64_t first, int64_t count) {
    read_row(parts.weight, m, first, count, 1.f, weight);
    read_row(parts.bias, m, first, count, 0.f, bias);
    read_row(parts.scale, m, first, count, 1.f, scale);
    read_row(parts.shift, m, first, count, 0.f, shift);
    read_row(parts.gain, m, first, count, 1.f, gain);
  }

  Values at(int64_t k) const { return {weight[k], bias[k], scale[k], shift[k], gain[k]}; }
};

// P and Q of the same.
struct AffineRow {
  PartRows parts;
  Row p, q;

  explicit AffineRow(int64_t channels) : parts(channels), p(row(channels)), q(p) {}

  void read(const Parts& all, int64_t m, int64_t first, int64_t count) {
    parts.read(all, m, first, count);
    float *ps = p.data(), *qs = q.data();
    for (int64_t k = 0; k < count; ++k) {
      const Affine at = parts.at(k).affine();
      ps[k] = at.p;
      qs[k] = at.q;
    }
  }
};

// f(channel, whole, count) for the vectors of a row.
template <typename F>
inline void over_row(int64_t channels, F f) {
  int64_t c = 0;
  for (; c + kStep <= channels; c += kStep) f(c, true, kStep);
  if (c < channels) f(c, false, channels - c);
}

struct Moments {
  float mean, rstd;
};

inline float rstd_of(double variance, double eps) { return static_cast<float>(1.0 / std::sqrt(variance + eps)); }

template <typename T>
Moments moments(const T* x, int64_t count, double eps) {
  const float pivot = static_cast<float>(x[0]);
  const Vec pivots(pivot);
  const double offset = row_sum(x, count, pivot, [&](const Vec& v) { return v - pivots; });
  const float mean = static_cast<float>(pivot + offset / static_cast<double>(count));
  const Vec means(mean);
  const double squares = row_sum(x, count, mean, [&](const Vec& v) {
    const Vec centred = v - means;
    return centred * centred;
  });
  return {mean, rstd_of(squares / static_cast<double>(count), eps)};
}

}  // namespace
}  // namespace seqdis
