// The gate: one thread for each row. Compile with N_EXPERTS (at most 64) and TOP_K.
#include "prelude.cuh"

// X (n, d); table (columns + 1, N_EXPERTS) with the intercepts last, columns = d or 0 for a constant gate.
// gates (n, TOP_K): weights of the experts that run; chosen (n, TOP_K): which, in ascending order; -1 for one of weight zero.
extern "C" __global__ void gate(const float* __restrict__ X, int n, int d, const float* __restrict__ table, int columns,
                                int stage, float* __restrict__ gates, int* __restrict__ chosen) {
    SHARED(float, tile);
    const long long first = (long long)blockIdx.x * blockDim.x, row = first + threadIdx.x;
    const int count = (int)min((long long)blockDim.x, n - first);
    const Row mine = row_by_warp(X, nullptr, first, count, columns ? d : 0, stage, tile);
    if (row >= n) return;
    float g[N_EXPERTS];
    linear<N_EXPERTS>(mine, table, columns, g);
    gate_softmax<N_EXPERTS, TOP_K>(g);
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
