// AdaGN on the CPU: vectorised over positions (contiguous) or channels (channels-last), threaded over
// samples and groups, so that a thread finds in its cache what it has just read.
//
// Statistics take two passes, the first over x less its first entry: neither a large mean nor an outlier
// costs digits. Long sums run in float32 for a stretch, then go on in float64.
#include <ATen/Parallel.h>
#include <ATen/cpu/vec/vec.h>
#include <torch/library.h>

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

template <typename T, bool kSilu>
void forward_contiguous(const T* x, T* y, float* mean, float* rstd, const Shape& s, const Parts& parts, double eps) {
  const int64_t size = s.group_size();
  const int64_t grain = std::max<int64_t>(1, kGrain / size);
  at::parallel_for(0, s.samples * s.groups, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Moments m = moments(x + i * size, size, eps);
      mean[i] = m.mean;
      rstd[i] = m.rstd;
      const Vec means(m.mean);
      const int64_t n = i / s.groups;
      for (int64_t k = 0; k < s.each; ++k) {
        const int64_t c = (i % s.groups) * s.each + k;
        const Vec p(parts.p(n, c) * m.rstd), q(parts.q(n, c));
        const T* from = x + i * size + k * s.positions;
        T* to = y + i * size + k * s.positions;
        const auto f = [&](const Vec& v) { return activate<kSilu>(at::vec::fmadd(p, v - means, q)); };
        int64_t j = 0;
        for (; j + kStep <= s.positions; j += kStep) {
          const Pair v = load(from + j);
          store(to + j, Pair{f(v.a), f(v.b)});
        }
        if (j < s.positions) {
          const Pair v = load_tail(from + j, s.positions - j, 0.f);
          store_tail(to + j, Pair{f(v.a), f(v.b)}, s.positions - j);
        }
      }
    }
  });
}

// Where ∂L/∂w of a task is kept between its two passes: in the result, if that is float32.
inline float* workspace(float* result, std::vector<float>&, int64_t) { return result; }

inline float* workspace(at::BFloat16*, std::vector<float>& buffer, int64_t count) {
  buffer.resize(count);
  return buffer.data();
}

template <typename T, bool kSilu>
void backward_contiguous(const T* grad, const T* x, const float* mean, const float* rstd, T* result, float* s1,
                         float* s2, const Shape& s, const Parts& parts) {
  const int64_t size = s.group_size();
  const int64_t grain = std::max<int64_t>(1, kGrain / size);
  at::parallel_for(0, s.samples * s.groups, grain, [&](int64_t begin, int64_t end) {
    std::vector<float> buffer;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t n = i / s.groups, first = (i % s.groups) * s.each;
      const Vec means(mean[i]), rstds(rstd[i]);
      float* kept = workspace(result + i * size, buffer, size);
      double share1 = 0, share2 = 0;
      for (int64_t k = 0; k < s.each; ++k) {
        const Vec p(parts.p(n, first + k)), q(parts.q(n, first + k));
        const int64_t base = i * size + k * s.positions;
        double total1 = 0, total2 = 0;
        for (int64_t start = 0; start < s.positions; start += kStretch) {
          const int64_t stop = std::min(s.positions, start + kStretch);
          Vec a1(0.f), a2(0.f), b1(0.f), b2(0.f);
          for (int64_t j = start; j < stop; j += kStep) {
            const bool whole = j + kStep <= stop;
            const Pair v = whole ? load(x + base + j) : load_tail(x + base + j, stop - j, 0.f);
            const Pair g = whole ? load(grad + base + j) : load_tail(grad + base + j, stop - j, 0.f);
            const Vec xa = (v.a - means) * rstds, xb = (v.b - means) * rstds;
            const Pair d{deactivate<kSilu>(g.a, at::vec::fmadd(p, xa, q)),
                         deactivate<kSilu>(g.b, at::vec::fmadd(p, xb, q))};
            a1 = a1 + d.a;
            b1 = b1 + d.b;
            a2 = at::vec::fmadd(d.a, xa, a2);
            b2 = at::vec::fmadd(d.b, xb, b2);
            float* to = kept + k * s.positions + j;
            whole ? store(to, d) : store_tail(to, d, stop - j);
          }
          total1 += lanes_sum(a1 + b1);
          total2 += lanes_sum(a2 + b2);
        }
        s1[n * s.channels + first + k] = static_cast<float>(total1);
        s2[n * s.channels + first + k] = static_cast<float>(total2);
        share1 += parts.p(n, first + k) * total1;
        share2 += parts.p(n, first + k) * total2;
      }
      const Vec c1(static_cast<float>(share1 / size)), c2(static_cast<float>(share2 / size));
      for (int64_t k = 0; k < s.each; ++k) {
        const Vec p(parts.p(n, first + k));
        const T* from = x + i * size + k * s.positions;
        const float* delta = kept + k * s.positions;
        T* to = result + i * size + k * s.positions;
        const auto f = [&](const Vec& d, const Vec& v) { return rstds * (p * d - c1 - (v - means) * rstds * c2); };
        int64_t j = 0;
        for (; j + kStep <= s.positions; j += kStep) {
          const Pair d = load(delta + j), v = load(from + j);
          store(to + j, Pair{f(d.a, v.a), f(d.b, v.b)});
        }
        if (j < s.positions) {
          const Pair d = load_tail(delta + j, s.positions - j, 0.f), v = load_tail(from + j, s.positions - j, 0.f);
          store_tail(to + j, Pair{f(d.a, v.a), f(d.b, v.b)}, s.positions - j);
        }
      }
    }
  });
}

// Channels-last: a task is a sample and some of its groups, next to each other, at every position.
struct Task {
  int64_t sample, group, groups;
};

template <typename F>
void for_each_task(const Shape& s, F f) {
  // Whole rows are read best; samples are split only where there are fewer than threads.
  const int64_t threads = at::get_num_threads();
  const int64_t wanted = std::min(s.groups, (threads + s.samples - 1) / s.samples);
  const int64_t each = (s.groups + wanted - 1) / wanted, blocks = (s.groups + each - 1) / each;
  at::parallel_for(0, s.samples * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t group = (i % blocks) * each;
      f(Task{i / blocks, group, std::min(each, s.groups - group)});
    }
  });
}

// Numbers of each channel of a task, with room for a whole vector at the end.
using Row = std::vector<float>;

inline Row row(int64_t channels) { return Row((channels + kStep - 1) / kStep * kStep, 0.f); }

// f(channel, whole, count) for the vectors of a row.
template <typename F>
inline void over_row(int64_t channels, F f) {
  int64_t c = 0;
  for (; c + kStep <= channels; c += kStep) f(c, true, kStep);
  if (c < channels) f(c, false, channels - c);
}

// Σ over positions of f(x, given) for each channel: `total` in float64.
template <typename T, typename F>
void column_sums(const T* x, const Shape& s, int64_t channels, const Row& given, std::vector<double>& total, F f) {
  total.assign(channels, 0.0);
  Row sums = row(channels);
  for (int64_t start = 0; start < s.positions; start += kRows) {
    std::fill(sums.begin(), sums.end(), 0.f);
    for (int64_t r = start; r < std::min(s.positions, start + kRows); ++r) {
      const T* from = x + r * s.channels;
      over_row(channels, [&](int64_t c, bool whole, int64_t count) {
        const Pair v = whole ? load(from + c) : load_tail(from + c, count, 0.f), g = load(given.data() + c);
        const Pair t = load(sums.data() + c);
        store(sums.data() + c, Pair{t.a + f(v.a, g.a), t.b + f(v.b, g.b)});
      });
    }
    for (int64_t c = 0; c < channels; ++c) total[c] += sums[c];
  }
}

template <typename T, bool kSilu>
void forward_channels_last(const T* x, T* y, float* mean, float* rstd, const Shape& s, const Parts& parts,
                           double eps) {
  const double size = static_cast<double>(s.group_size());
  for_each_task(s, [&](const Task& task) {
    const int64_t channels = task.groups * s.each, first = task.group * s.each;
    const int64_t base = task.sample * s.positions * s.channels + first;
    Row centre = row(channels), p = row(channels), q = row(channels);
    std::vector<double> total;
    for (int64_t c = 0; c < channels; ++c) centre[c] = static_cast<float>(x[base + c / s.each * s.each]);
    column_sums(x + base, s, channels, centre, total, [](const Vec& v, const Vec& pivot) { return v - pivot; });
    for (int64_t g = 0; g < task.groups; ++g) {
      double sum = 0;
      for (int64_t k = 0; k < s.each; ++k) sum += total[g * s.each + k];
      const float found = static_cast<float>(centre[g * s.each] + sum / size);
      std::fill_n(centre.begin() + g * s.each, s.each, found);
      mean[task.sample * s.groups + task.group + g] = found;
    }
    column_sums(x + base, s, channels, centre, total, [](const Vec& v, const Vec& m) { return (v - m) * (v - m); });
    for (int64_t g = 0; g < task.groups; ++g) {
      double sum = 0;
      for (int64_t k = 0; k < s.each; ++k) sum += total[g * s.each + k];
      const float found = rstd_of(sum / size, eps);
      rstd[task.sample * s.groups + task.group + g] = found;
      for (int64_t k = g * s.each; k < (g + 1) * s.each; ++k) {
        p[k] = parts.p(task.sample, first + k) * found;
        q[k] = parts.q(task.sample, first + k);
      }
    }
    for (int64_t r = 0; r < s.positions; ++r) {
      const T* from = x + base + r * s.channels;
      T* to = y + base + r * s.channels;
      over_row(channels, [&](int64_t c, bool whole, int64_t count) {
        const Pair v = whole ? load(from + c) : load_tail(from + c, count, 0.f);
        const Pair m = load(centre.data() + c), pp = load(p.data() + c), qq = load(q.data() + c);
        const Pair out{activate<kSilu>(at::vec::fmadd(pp.a, v.a - m.a, qq.a)),
                       activate<kSilu>(at::vec::fmadd(pp.b, v.b - m.b, qq.b))};
        whole ? store(to + c, out) : store_tail(to + c, out, count);
      });
    }
  });
}

template <typename T, bool kSilu>
void backward_channels_last(const T* grad, const T* x, const float* mean, const float* rstd, T* result, float* s1,
                            float* s2, const Shape& s, const Parts& parts) {
  for_each_task(s, [&](const Task& task) {
    const int64_t channels = task.groups * s.each, first = task.group * s.each, n = task.sample;
    const int64_t base = n * s.positions * s.channels + first;
    Row m = row(channels), r = row(channels), p = row(channels), q = row(channels);
    for (int64_t c = 0; c < channels; ++c) {
      m[c] = mean[n * s.groups + task.group + c / s.each];
      r[c] = rstd[n * s.groups + task.group + c / s.each];
      p[c] = parts.p(n, first + c);
      q[c] = parts.q(n, first + c);
    }
    const auto normalized = [&](const Pair& v, int64_t c) {
      const Pair mm = load(m.data() + c), rr = load(r.data() + c);
      return Pair{(v.a - mm.a) * rr.a, (v.b - mm.b) * rr.b};
    };
    const auto delta = [&](const Pair& g, const Pair& v, int64_t c) {
      const Pair pp = load(p.data() + c), qq = load(q.data() + c);
      return Pair{deactivate<kSilu>(g.a, at::vec::fmadd(pp.a, v.a, qq.a)),
                  deactivate<kSilu>(g.b, at::vec::fmadd(pp.b, v.b, qq.b))};
    };
    std::vector<double> total1(channels, 0.0), total2(channels, 0.0);
    Row sum1 = row(channels), sum2 = row(channels);
    for (int64_t start = 0; start < s.positions; start += kRows) {
      std::fill(sum1.begin(), sum1.end(), 0.f);
      std::fill(sum2.begin(), sum2.end(), 0.f);
      for (int64_t i = start; i < std::min(s.positions, start + kRows); ++i) {
        const int64_t here = base + i * s.channels;
        over_row(channels, [&](int64_t c, bool whole, int64_t count) {
          const Pair g = whole ? load(grad + here + c) : load_tail(grad + here + c, count, 0.f);
          const Pair v = normalized(whole ? load(x + here + c) : load_tail(x + here + c, count, 0.f), c);
          const Pair d = delta(g, v, c), a = load(sum1.data() + c), b = load(sum2.data() + c);
          store(sum1.data() + c, Pair{a.a + d.a, a.b + d.b});
          store(sum2.data() + c, Pair{at::vec::fmadd(d.a, v.a, b.a), at::vec::fmadd(d.b, v.b, b.b)});
        });
      }
      for (int64_t c = 0; c < channels; ++c) {
        total1[c] += sum1[c];
        total2[c] += sum2[c];
      }
    }
    Row c1 = row(channels), c2 = row(channels);
    for (int64_t g = 0; g < task.groups; ++g) {
      double share1 = 0, share2 = 0;
      for (int64_t c = g * s.each; c < (g + 1) * s.each; ++c) {
        share1 += p[c] * total1[c];
        share2 += p[c] * total2[c];
        s1[n * s.channels + first + c] = static_cast<float>(total1[c]);
        s2[n * s.channels + first + c] = static_cast<float>(total2[c]);
      }
      std::fill_n(c1.begin() + g * s.each, s.each, static_cast<float>(share1 / s.group_size()));
      std::fill_n(c2.begin() + g * s.each, s.each, static_cast<float>(share2 / s.group_size()));
    }
    for (int64_t i = 0; i < s.positions; ++i) {
      const int64_t here = base + i * s.channels;
      over_row(channels, [&](int64_t c, bool whole, int64_t count) {
        const Pair g = whole ? load(grad + here + c) : load_tail(grad + here + c, count, 0.f);
        const Pair v = normalized(whole ? load(x + here + c) : load_tail(x + here + c, count, 0.f), c);
        const Pair d = delta(g, v, c), pp = load(p.data() + c), rr = load(r.data() + c);
        const Pair a = load(c1.data() + c), b = load(c2.data() + c);
        const Pair out{rr.a * (pp.a * d.a - a.a - v.a * b.a), rr.b * (pp.b * d.b - a.b - v.b * b.b)};
        whole ? store(result + here + c, out) : store_tail(result + here + c, out, count);
      });
    }
  });
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
  const Shape s = shape_of(input, groups);
  const at::MemoryFormat layout = layout_of(input);
  const at::Tensor x = input.contiguous(layout);
  const Parts parts = parts_of(x, weight, bias, scale, shift, gain);
  at::Tensor y = at::empty_like(x, x.options().memory_format(layout));
  at::Tensor mean = at::zeros({s.samples, groups}, x.options().dtype(at::kFloat)), rstd = at::zeros_like(mean);
  if (x.numel() == 0) return {y, mean, rstd};
  by_type(x, silu, [&](auto value, auto activated) {
    using T = decltype(value);
    constexpr bool kSilu = decltype(activated)::value;
    (layout == at::MemoryFormat::Contiguous ? forward_contiguous<T, kSilu> : forward_channels_last<T, kSilu>)(
        x.const_data_ptr<T>(), y.mutable_data_ptr<T>(), mean.mutable_data_ptr<float>(),
        rstd.mutable_data_ptr<float>(), s, parts, eps);
  });
  return {y, mean, rstd};
}

// The gradients of the parts from s₁ = Σ δ and s₂ = Σ δ x̂ of each sample and channel.
void part_gradients(const float* s1, const float* s2, const Shape& s, const Parts& parts, float* weight, float* bias,
                    float* scale, float* shift, float* gain) {
  if (weight) std::fill_n(weight, s.channels, 0.f);
  if (bias) std::fill_n(bias, s.channels, 0.f);
  for (int64_t n = 0; n < s.samples; ++n) {
    for (int64_t c = 0; c < s.channels; ++c) {
      const int64_t base = n * s.channels + c;
      const float w = parts.weight.read(n, c, 1.f), b = parts.bias.read(n, c, 0.f);
      const float a = parts.scale.read(n, c, 1.f), z = parts.gain.read(n, c, 1.f);
      const float inner = w * s2[base] + b * s1[base];
      if (weight) weight[c] += z * a * s2[base];
      if (bias) bias[c] += z * a * s1[base];
      if (scale) scale[base] = z * inner;
      if (shift) shift[base] = z * s1[base];
      if (gain) gain[base] = a * inner + parts.shift.read(n, c, 0.f) * s1[base];
    }
  }
}

Backward backward(const at::Tensor& grad_, const at::Tensor& input, const at::Tensor& mean, const at::Tensor& rstd,
                  int64_t groups, const OptionalTensor& weight, const OptionalTensor& bias,
                  const OptionalTensor& scale, const OptionalTensor& shift, const OptionalTensor& gain, bool silu) {
  const Shape s = shape_of(input, groups);
  const at::MemoryFormat layout = layout_of(input);
  const at::Tensor x = input.contiguous(layout), grad = grad_.to(x.scalar_type()).contiguous(layout);
  const Parts parts = parts_of(x, weight, bias, scale, shift, gain);
  at::Tensor result = at::empty_like(x, x.options().memory_format(layout));
  at::Tensor s1 = at::zeros({s.samples, s.channels}, x.options().dtype(at::kFloat)), s2 = at::zeros_like(s1);
  if (x.numel() > 0) {
    by_type(x, silu, [&](auto value, auto activated) {
      using T = decltype(value);
      constexpr bool kSilu = decltype(activated)::value;
      (layout == at::MemoryFormat::Contiguous ? backward_contiguous<T, kSilu> : backward_channels_last<T, kSilu>)(
          grad.const_data_ptr<T>(), x.const_data_ptr<T>(), mean.const_data_ptr<float>(),
          rstd.const_data_ptr<float>(), result.mutable_data_ptr<T>(), s1.mutable_data_ptr<float>(),
          s2.mutable_data_ptr<float>(), s, parts);
    });
  }
  const auto data = [](at::Tensor& t) { return t.defined() ? t.mutable_data_ptr<float>() : nullptr; };
  at::Tensor gw = float_gradient(weight, x), gb = float_gradient(bias, x), ga = float_gradient(scale, x),
             gt = float_gradient(shift, x), gz = float_gradient(gain, x);
  part_gradients(s1.const_data_ptr<float>(), s2.const_data_ptr<float>(), s, parts, data(gw), data(gb), data(ga),
                 data(gt), data(gz));
  return {result,
          in_type_of(gw, weight, x),
          in_type_of(gb, bias, x),
          in_type_of(ga, scale, x),
          in_type_of(gt, shift, x),
          in_type_of(gz, gain, x)};
}

}  // namespace
}  // namespace seqdis

TORCH_LIBRARY_IMPL(seqdis, CPU, m) {
  m.impl("ada_group_norm", &seqdis::forward);
  m.impl("ada_group_norm_backward", &seqdis::backward);
}
