// The gate: one thread for each row. Compile with N_EXPERTS (at most 64) and TOP_K.
#include "prelude.cuh"

// The experts that run, in ascending order, and their weights; -1 and zero where fewer run.
__device__ __forceinline__ void write_chosen(const float* g, long long row, float* __restrict__ gates, int* __restrict__ chosen) {
    int rank = 0;
#pragma unroll
    for (int k = 0; k < N_EXPERTS; ++k) {
        if (g[k] > 0.f) {
            gates[row * TOP_K + rank] = g[k];
            chosen[row * TOP_K + rank] = k;
            ++rank;
        }
    }
    for (; rank < TOP_K; ++rank) {
        gates[row * TOP_K + rank] = 0.f;
        chosen[row * TOP_K + rank] = -1;
    }
}

// X (n, d); table (columns + 1, N_EXPERTS) with the intercepts last, columns = d or 0 for a constant gate; precision (N_EXPERTS).
// gates (n, TOP_K): weights of the experts that run; chosen (n, TOP_K): which.
extern "C" __global__ void gate(const float* __restrict__ X, int n, int d, const float* __restrict__ table, int columns,
                                float threshold, int mode, const float* __restrict__ precision, int stage,
                                float* __restrict__ gates, int* __restrict__ chosen) {
    SHARED(float, tile);
    const long long first = (long long)blockIdx.x * blockDim.x, row = first + threadIdx.x;
    const int count = (int)min((long long)blockDim.x, n - first);
    const Row mine = row_by_warp(X, nullptr, first, count, columns ? d : 0, stage, tile);
    if (row >= n) return;
    float g[N_EXPERTS];
    linear<N_EXPERTS>(mine, table, columns, g);
    gate_softmax<N_EXPERTS, TOP_K>(g);
    reweigh<N_EXPERTS>(g, threshold, mode, precision);
    write_chosen(g, row, gates, chosen);
}

// The same for logits (n, N_EXPERTS) that gate_logits.cu computed; differences are taken in float64.
extern "C" __global__ void gate_given(const double* __restrict__ logits, int n, float threshold, int mode,
                                      const float* __restrict__ precision, float* __restrict__ gates, int* __restrict__ chosen) {
    const long long row = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= n) return;
    double top = -INFINITY;
    for (int k = 0; k < N_EXPERTS; ++k) top = fmax(top, logits[row * N_EXPERTS + k]);
    float g[N_EXPERTS];
#pragma unroll
    for (int k = 0; k < N_EXPERTS; ++k) g[k] = (float)(logits[row * N_EXPERTS + k] - top);
    gate_softmax<N_EXPERTS, TOP_K>(g);
    reweigh<N_EXPERTS>(g, threshold, mode, precision);
    write_chosen(g, row, gates, chosen);
}
