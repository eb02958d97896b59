// Channels-last maps on the CPU: vectors run over channels, threads over samples.
#pragma once

#include "vector.h"

namespace seqdis {
namespace {

// A task is a sample and some of its groups, next to each other, at every position.
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
    Row centre = row(channels);
    AffineRow affine(channels);
    affine.read(parts, task.sample / s.share, first, channels);
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
      for (int64_t k = g * s.each; k < (g + 1) * s.each; ++k) affine.p[k] *= found;
    }
    for (int64_t r = 0; r < s.positions; ++r) {
      const T* from = x + base + r * s.channels;
      T* to = y + base + r * s.channels;
      over_row(channels, [&](int64_t c, bool whole, int64_t count) {
        const Pair v = whole ? load(from + c) : load_tail(from + c, count, 0.f);
        const Pair m = load(centre.data() + c), pp = load(affine.p.data() + c), qq = load(affine.q.data() + c);
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
    Row m = row(channels), r = row(channels);
    AffineRow affine(channels);
    affine.read(parts, n / s.share, first, channels);
    for (int64_t c = 0; c < channels; ++c) {
      m[c] = mean[n * s.groups + task.group + c / s.each];
      r[c] = rstd[n * s.groups + task.group + c / s.each];
    }
    const auto normalized = [&](const Pair& v, int64_t c) {
      const Pair mm = load(m.data() + c), rr = load(r.data() + c);
      return Pair{(v.a - mm.a) * rr.a, (v.b - mm.b) * rr.b};
    };
    const auto delta = [&](const Pair& g, const Pair& v, int64_t c) {
      const Pair pp = load(affine.p.data() + c), qq = load(affine.q.data() + c);
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
        share1 += affine.p[c] * total1[c];
        share2 += affine.p[c] * total2[c];
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
        const Pair d = delta(g, v, c), pp = load(affine.p.data() + c), rr = load(r.data() + c);
        const Pair a = load(c1.data() + c), b = load(c2.data() + c);
        const Pair out{rr.a * (pp.a * d.a - a.a - v.a * b.a), rr.b * (pp.b * d.b - a.b - v.b * b.b)};
        whole ? store(result + here + c, out) : store_tail(result + here + c, out, count);
      });
    }
  });
}

}  // namespace
}  // namespace seqdis
