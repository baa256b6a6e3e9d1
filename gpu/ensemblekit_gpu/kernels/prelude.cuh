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

// Copy the thread's own row into shared memory, feature-major: thread t keeps feature j at tile[j * T + t], so that 32 threads
// that look at 32 different features still hit 32 different banks. No barrier: nobody reads another thread's row.
// With `stage` 0 the row is too long for shared memory and stays in global memory.
__device__ __forceinline__ Row take_row(const float* __restrict__ X, long long row, int d, int stage, float* tile) {
    const float* mine = X + row * d;
    if (!stage) return Row{mine, 1};
    const int T = blockDim.x, t = threadIdx.x;
    for (int j = 0; j < d; ++j) tile[j * T + t] = mine[j];
    return Row{tile + t, T};
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

// Add one expert's answer, or its vote for its best class (the first of equals), under the gate's weight.
template <int C>
__device__ __forceinline__ void add_answer(const float* p, int vote, float weight, float* answer) {
    int best = 0;
    float top = p[0];  // kept beside: p[best] would force the array out of the registers
#pragma unroll
    for (int c = 1; c < C; ++c)
        if (p[c] > top) {
            top = p[c];
            best = c;
        }
#pragma unroll
    for (int c = 0; c < C; ++c) answer[c] = fmaf(weight, vote ? (c == best ? 1.f : 0.f) : p[c], answer[c]);
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
