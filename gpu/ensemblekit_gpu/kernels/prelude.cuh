// What every kernel starts with. One source, three compilers: NVRTC on a GPU, nvcc, and g++ through hostsim/cuda_on_cpu.h.
// NVRTC has no standard headers, so nothing is included on the device side.
#pragma once

#ifdef HOST_SIM
#include "cuda_on_cpu.h"
#else
#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif
#define SHARED(T, name)                                        \
    extern __shared__ __align__(16) unsigned char name##_raw[]; \
    T* name = (T*)name##_raw
#endif

// A row of X as a thread sees it: feature j is x[j * step].
struct Row {
    const float* x;
    int step;
};

// The thread's row, for walks in trees, where lanes look at different features: feature-major without padding, feature j at
// tile[j * T + t], so that lane t always has bank t mod 32 to itself. Each thread copies its own row and no other: no barrier.
// With `stage` 0 the row is too long for shared memory and stays in global memory.
__device__ __forceinline__ Row own_row(const float* __restrict__ X, long long row, int d, int stage, float* tile) {
    const float* mine = X + row * d;
    if (!stage) return Row{mine, 1};
    const int T = blockDim.x, t = threadIdx.x;
    for (int j = 0; j < d; ++j) tile[j * T + t] = mine[j];
    return Row{tile + t, T};
}

// The thread's row, for products with tables, where lanes look at the same feature: each warp copies its own 32 rows, lanes side by
// side along a row, so that global loads are whole lines; one column of padding puts what they write into 32 different banks.
// Thread t has row `first + t`, or the row that `indices[first + t]` names; `count` threads have one, at least one. All must call.
__device__ __forceinline__ Row row_by_warp(const float* __restrict__ X, const int* __restrict__ indices, long long first, int count,
                                           int d, int stage, float* tile) {
    const int t = threadIdx.x, lane = t & 31, T1 = blockDim.x + 1;
    if (!stage) {
        const long long at = first + min(t, count - 1);
        return Row{X + (indices ? indices[at] : at) * d, 1};
    }
    for (int r = t - lane; r < min(t - lane + 32, count); ++r) {
        const float* from = X + (indices ? indices[first + r] : first + r) * d;
        for (int j = lane; j < d; j += 32) tile[j * T1 + r] = from[j];
    }
    __syncwarp();  // no other warp writes these rows
    return Row{tile + t, T1};
}

// margins -> probabilities in place; link 0 identity, 1 softmax (minus infinity gives zero), 2 one-vs-all sigmoids.
template <int C>
__device__ __forceinline__ void apply_link(float* p, int link) {
    if (link == 1) {
        float top = p[0], total = 0.f;
#pragma unroll
        for (int c = 1; c < C; ++c) top = fmaxf(top, p[c]);
#pragma unroll
        for (int c = 0; c < C; ++c) {
            p[c] = expf(p[c] - top);
            total += p[c];
        }
#pragma unroll
        for (int c = 0; c < C; ++c) p[c] /= total;
    } else if (link == 2) {
#pragma unroll
        for (int c = 0; c < C; ++c) p[c] = 1.f / (1.f + expf(-p[c]));
    }
}

// How answers become one, as in PackedModel.combination.
#define MEAN 0
#define VOTE 1
#define PRODUCT 2
#define ADDITIVE 3

// Add one expert's answer, its vote for its best class (the first of equals), or its logarithm, under the gate's weight.
template <int C>
__device__ __forceinline__ void add_answer(const float* p, int mode, float weight, float* answer) {
    int best = 0;
    float top = p[0];  // kept beside: p[best] would force the array out of the registers
#pragma unroll
    for (int c = 1; c < C; ++c)
        if (p[c] > top) {
            top = p[c];
            best = c;
        }
#pragma unroll
    for (int c = 0; c < C; ++c)
        answer[c] = fmaf(weight, mode == VOTE ? (c == best ? 1.f : 0.f) : mode == PRODUCT ? logf(p[c]) : p[c], answer[c]);
}

// Summed logarithms become probabilities; where no class is possible all are alike.
template <int C>
__device__ __forceinline__ void finish_answer(int mode, float* answer) {
    if (mode != PRODUCT) return;
    float top = answer[0];
#pragma unroll
    for (int c = 1; c < C; ++c) top = fmaxf(top, answer[c]);
    if (top == -INFINITY) {
#pragma unroll
        for (int c = 0; c < C; ++c) answer[c] = 0.f;
    }
    apply_link<C>(answer, 1);
}

// Logits of a table with a row for each of `columns` features and the intercepts last; M outputs.
template <int M>
__device__ __forceinline__ void linear(Row row, const float* __restrict__ table, int columns, float* out) {
#pragma unroll
    for (int c = 0; c < M; ++c) out[c] = table[columns * M + c];
    for (int j = 0; j < columns; ++j) {
        const float v = row.x[j * row.step];
#pragma unroll
        for (int c = 0; c < M; ++c) out[c] = fmaf(v, table[j * M + c], out[c]);
    }
}

// Softmax over the K_RUN largest of K logits, zero elsewhere; of equal ones the first stays.
template <int K, int K_RUN>
__device__ __forceinline__ void gate_softmax(float* g) {
    unsigned long long kept = 0;
    if (K_RUN < K) {
        for (int r = 0; r < K_RUN; ++r) {
            float best = -INFINITY;
            int at = -1;
#pragma unroll
            for (int k = 0; k < K; ++k)
                if (!(kept >> k & 1) && (at < 0 || g[k] > best)) {
                    best = g[k];
                    at = k;
                }
            kept |= 1ull << at;
        }
    }
    float top = -INFINITY, total = 0.f;
#pragma unroll
    for (int k = 0; k < K; ++k) top = fmaxf(top, g[k]);
#pragma unroll
    for (int k = 0; k < K; ++k) {
        g[k] = K_RUN == K || (kept >> k & 1) ? expf(g[k] - top) : 0.f;
        total += g[k];
    }
#pragma unroll
    for (int k = 0; k < K; ++k) g[k] /= total;
}

// Weights once routing is done: experts below the threshold drop out, except the best, those that run may count alike, and each weight
// has its factor.
template <int K>
__device__ __forceinline__ void reweigh(float* g, float threshold, int mode, const float* __restrict__ precision) {
    int best = 0;
    float top = g[0], total = 0.f;
#pragma unroll
    for (int k = 1; k < K; ++k)
        if (g[k] > top) {
            top = g[k];
            best = k;
        }
#pragma unroll
    for (int k = 0; k < K; ++k) {
        const float kept = g[k] < threshold && k != best ? 0.f : g[k];
        g[k] = precision[k] * (mode == ADDITIVE ? (kept > 0.f ? 1.f : 0.f) : kept);
        total += g[k];
    }
#pragma unroll
    for (int k = 0; k < K; ++k) g[k] /= total;
}

// Sum over the lanes of a warp, in lane 0; all 32 must call.
__device__ __forceinline__ double warp_sum(double v) {
    for (int o = 16; o; o >>= 1) v += __shfl_down_sync(0xffffffffu, v, o);
    return v;
}
