// Contiguous maps on the CPU: vectors run over positions, threads over groups, so that a thread finds in its
// cache what it has just read.
#pragma once

#include "vector.h"

namespace seqdis {
namespace {

template <typename T, bool kSilu>
void forward_contiguous(const T* x, T* y, float* mean, float* rstd, const Shape& s, const Parts& parts, double eps) {
  const int64_t size = s.group_size();
  const int64_t grain = std::max<int64_t>(1, kGrain / size);
  at::parallel_for(0, s.samples * s.groups, grain, [&](int64_t begin, int64_t end) {
    AffineRow affine(s.each);
    for (int64_t i = begin; i < end; ++i) {
      affine.read(parts, i / s.groups / s.share, i % s.groups * s.each, s.each);
      const Moments m = moments(x + i * size, size, eps);
      mean[i] = m.mean;
      rstd[i] = m.rstd;
      const Vec means(m.mean);
      for (int64_t k = 0; k < s.each; ++k) {
        const Vec p(affine.p[k] * m.rstd), q(affine.q[k]);
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
    AffineRow affine(s.each);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t n = i / s.groups, first = i % s.groups * s.each;
      affine.read(parts, n / s.share, first, s.each);
      const Vec means(mean[i]), rstds(rstd[i]);
      float* kept = workspace(result + i * size, buffer, size);
      double share1 = 0, share2 = 0;
      for (int64_t k = 0; k < s.each; ++k) {
        const Vec p(affine.p[k]), q(affine.q[k]);
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
        share1 += affine.p[k] * total1;
        share2 += affine.p[k] * total2;
      }
      const Vec c1(static_cast<float>(share1 / size)), c2(static_cast<float>(share2 / size));
      for (int64_t k = 0; k < s.each; ++k) {
        const Vec p(affine.p[k]);
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

}  // namespace
}  // namespace seqdis
