// Maps of one position on the CPU, whose channels lie next to each other: a matrix (N, C), or the tokens of a
// transformer as samples. Vectors run over channels, threads over samples.
#pragma once

#include <type_traits>

#include "vector.h"

namespace seqdis {
namespace {

template <typename V>
inline V value_at(const float* p) {
  if constexpr (std::is_same_v<V, Vec>) {
    return Vec::loadu(p);
  } else {
    return *p;
  }
}

// Σ of f.operator()<V>(i) over i < count, for V a vector of entries from i on, or one entry.
template <typename F>
double sum_over(int64_t count, F f) {
  double total = 0;
  for (int64_t start = 0; start < count; start += kStretch) {
    const int64_t stop = std::min(count, start + kStretch);
    Vec a(0.f), b(0.f);
    int64_t i = start;
    for (; i + kStep <= stop; i += kStep) {
      a = a + f.template operator()<Vec>(i);
      b = b + f.template operator()<Vec>(i + kLanes);
    }
    float rest = i > start ? lanes_sum(a + b) : 0.f;
    for (; i < stop; ++i) rest += f.template operator()<float>(i);
    total += rest;
  }
  return total;
}

inline Moments moments_of_row(const float* x, int64_t count, double eps) {
  const float pivot = x[0];
  const double offset = sum_over(count, [&]<typename V>(int64_t i) { return value_at<V>(x + i) - V(pivot); });
  const float mean = static_cast<float>(pivot + offset / static_cast<double>(count));
  const double squares = sum_over(count, [&]<typename V>(int64_t i) {
    const V centred = value_at<V>(x + i) - V(mean);
    return centred * centred;
  });
  return {mean, rstd_of(squares / static_cast<double>(count), eps)};
}

inline const float* as_float(const float* x, Row&, int64_t) { return x; }

inline const float* as_float(const at::BFloat16* x, Row& buffer, int64_t count) {
  over_row(count, [&](int64_t c, bool whole, int64_t left) {
    store(buffer.data() + c, whole ? load(x + c) : load_tail(x + c, left, 0.f));
  });
  return buffer.data();
}

// f(affine, first, last, task): samples `first` to `last` share the row of modulation in `affine`. How they are
// cut into tasks does not depend on the number of threads.
inline int64_t chunks_of(const Shape& s) { return (s.share + kRows - 1) / kRows; }

template <typename F>
void for_each_chunk(const Shape& s, const Parts& parts, F f) {
  const int64_t chunks = chunks_of(s), entries = std::min(s.share, kRows) * s.channels;
  at::parallel_for(0, s.rows * chunks, std::max<int64_t>(1, kGrain / entries), [&](int64_t begin, int64_t end) {
    AffineRow affine(s.channels);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t m = task / chunks, start = task % chunks * kRows;
      if (task == begin || start == 0) affine.read(parts, m, 0, s.channels);
      f(affine, m * s.share + start, m * s.share + std::min(start + kRows, s.share), task);
    }
  });
}

// A number of each channel: the same for all of them, where there is one group, or one of each group's.
struct Same {
  Vec value;

  static Same of(const float* groups, const Shape&, Row&) { return {Vec(groups[0])}; }
  Pair at(int64_t) const { return {value, value}; }
};

struct Each {
  const float* values;

  static Each of(const float* groups, const Shape& s, Row& buffer) {
    for (int64_t g = 0; g < s.groups; ++g) std::fill_n(buffer.begin() + g * s.each, s.each, groups[g]);
    return {buffer.data()};
  }
  Pair at(int64_t c) const { return load(values + c); }
};

template <typename T, bool kSilu, typename Number>
void forward_rows_by(const T* x, T* y, float* mean, float* rstd, const Shape& s, const Parts& parts, double eps) {
  for_each_chunk(s, parts, [&](const AffineRow& affine, int64_t first, int64_t last, int64_t) {
    Row buffer = row(s.channels), m_row = buffer, r_row = buffer;
    for (int64_t n = first; n < last; ++n) {
      const float* v = as_float(x + n * s.channels, buffer, s.channels);
      for (int64_t g = 0; g < s.groups; ++g) {
        const Moments found = moments_of_row(v + g * s.each, s.each, eps);
        mean[n * s.groups + g] = found.mean;
        rstd[n * s.groups + g] = found.rstd;
      }
      const Number m = Number::of(mean + n * s.groups, s, m_row), r = Number::of(rstd + n * s.groups, s, r_row);
      T* to = y + n * s.channels;
      over_row(s.channels, [&](int64_t c, bool whole, int64_t count) {
        const Pair in = whole ? load(v + c) : load_tail(v + c, count, 0.f), mm = m.at(c), rr = r.at(c);
        const Pair p = load(affine.p.data() + c), q = load(affine.q.data() + c);
        const Pair out{activate<kSilu>(at::vec::fmadd(p.a, (in.a - mm.a) * rr.a, q.a)),
                       activate<kSilu>(at::vec::fmadd(p.b, (in.b - mm.b) * rr.b, q.b))};
        whole ? store(to + c, out) : store_tail(to + c, out, count);
      });
    }
  });
}

// s1, s2 (M, chunks, C)
template <typename T, bool kSilu, typename Number>
void backward_rows_by(const T* grad, const T* x, const float* mean, const float* rstd, T* result, float* s1, float* s2,
                      const Shape& s, const Parts& parts) {
  for_each_chunk(s, parts, [&](const AffineRow& affine, int64_t first, int64_t last, int64_t task) {
    Row sum1 = row(s.channels), sum2 = sum1, normalized = sum1, weighted = sum1;
    Row m_row = sum1, r_row = sum1, share1_row = sum1, share2_row = sum1;
    std::vector<float> share1(s.groups), share2(s.groups);
    for (int64_t n = first; n < last; ++n) {
      const int64_t base = n * s.channels;
      const Number m = Number::of(mean + n * s.groups, s, m_row), r = Number::of(rstd + n * s.groups, s, r_row);
      Vec all1(0.f), all2(0.f);  // Σ P δ and Σ P δ x̂ over the row
      over_row(s.channels, [&](int64_t c, bool whole, int64_t count) {
        const Pair v = whole ? load(x + base + c) : load_tail(x + base + c, count, 0.f);
        const Pair g = whole ? load(grad + base + c) : load_tail(grad + base + c, count, 0.f);
        const Pair mm = m.at(c), rr = r.at(c), p = load(affine.p.data() + c), q = load(affine.q.data() + c);
        const Pair a = load(sum1.data() + c), b = load(sum2.data() + c);
        const Pair xn{(v.a - mm.a) * rr.a, (v.b - mm.b) * rr.b};
        const Pair d{deactivate<kSilu>(g.a, at::vec::fmadd(p.a, xn.a, q.a)),
                     deactivate<kSilu>(g.b, at::vec::fmadd(p.b, xn.b, q.b))};
        const Pair pd{p.a * d.a, p.b * d.b};
        store(sum1.data() + c, Pair{a.a + d.a, a.b + d.b});
        store(sum2.data() + c, Pair{at::vec::fmadd(d.a, xn.a, b.a), at::vec::fmadd(d.b, xn.b, b.b)});
        store(normalized.data() + c, xn);
        store(weighted.data() + c, pd);
        all1 = all1 + (pd.a + pd.b);
        all2 = at::vec::fmadd(pd.a, xn.a, at::vec::fmadd(pd.b, xn.b, all2));
      });
      for (int64_t g = 0; g < s.groups; ++g) {
        const float *pd = weighted.data() + g * s.each, *xn = normalized.data() + g * s.each;
        const bool alone = std::is_same_v<Number, Same>;
        const double total1 =
            alone ? lanes_sum(all1) : sum_over(s.each, [&]<typename V>(int64_t i) { return value_at<V>(pd + i); });
        const double total2 = alone ? lanes_sum(all2) : sum_over(s.each, [&]<typename V>(int64_t i) {
          return value_at<V>(pd + i) * value_at<V>(xn + i);
        });
        share1[g] = static_cast<float>(total1 / s.each);
        share2[g] = static_cast<float>(total2 / s.each);
      }
      const Number c1 = Number::of(share1.data(), s, share1_row), c2 = Number::of(share2.data(), s, share2_row);
      over_row(s.channels, [&](int64_t c, bool whole, int64_t count) {
        const Pair pd = load(weighted.data() + c), xn = load(normalized.data() + c);
        const Pair rr = r.at(c), a = c1.at(c), b = c2.at(c);
        const Pair out{rr.a * (pd.a - a.a - xn.a * b.a), rr.b * (pd.b - a.b - xn.b * b.b)};
        whole ? store(result + base + c, out) : store_tail(result + base + c, out, count);
      });
    }
    std::copy_n(sum1.begin(), s.channels, s1 + task * s.channels);
    std::copy_n(sum2.begin(), s.channels, s2 + task * s.channels);
  });
}

template <typename T, bool kSilu>
void forward_rows(const T* x, T* y, float* mean, float* rstd, const Shape& s, const Parts& parts, double eps) {
  (s.groups == 1 ? forward_rows_by<T, kSilu, Same> : forward_rows_by<T, kSilu, Each>)(x, y, mean, rstd, s, parts, eps);
}

template <typename T, bool kSilu>
void backward_rows(const T* grad, const T* x, const float* mean, const float* rstd, T* result, float* s1, float* s2,
                   const Shape& s, const Parts& parts) {
  (s.groups == 1 ? backward_rows_by<T, kSilu, Same> : backward_rows_by<T, kSilu, Each>)(grad, x, mean, rstd, result,
                                                                                       s1, s2, s, parts);
}

}  // namespace
}  // namespace seqdis
