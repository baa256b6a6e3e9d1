// Linear experts. Compile with N_CLASSES, and the fused kernel with N_EXPERTS and TOP_K.
#include "prelude.cuh"

#ifdef N_EXPERTS
// Gate and linear experts in one pass over X; one thread for each row. An expert that the gate dropped costs nothing.
// gate_table (columns + 1, N_EXPERTS); experts (N_EXPERTS, d + 1, N_CLASSES); link, precision (N_EXPERTS); out (n, N_CLASSES).
extern "C" __global__ void linear_mixture(const float* __restrict__ X, int n, int d, const float* __restrict__ gate_table,
                                          int columns, const float* __restrict__ experts, const int* __restrict__ link,
                                          float threshold, int mode, const float* __restrict__ precision, int stage,
                                          float* __restrict__ out) {
    SHARED(float, tile);
    const long long first = (long long)blockIdx.x * blockDim.x, r = first + threadIdx.x;
    const Row row = row_by_warp(X, nullptr, first, (int)min((long long)blockDim.x, n - first), d, stage, tile);
    if (r >= n) return;
    float g[N_EXPERTS], answer[N_CLASSES];
    linear<N_EXPERTS>(row, gate_table, columns, g);
    gate_softmax<N_EXPERTS, TOP_K>(g);
    reweigh<N_EXPERTS>(g, threshold, mode, precision);
#pragma unroll
    for (int c = 0; c < N_CLASSES; ++c) answer[c] = 0.f;
#pragma unroll
    for (int k = 0; k < N_EXPERTS; ++k) {
        if (g[k] == 0.f) continue;
        float p[N_CLASSES];
        linear<N_CLASSES>(row, experts + (long long)k * (d + 1) * N_CLASSES, d, p);
        apply_link<N_CLASSES>(p, link[k]);
        add_answer<N_CLASSES>(p, mode, g[k], answer);
    }
    finish_answer<N_CLASSES>(mode, answer);
#pragma unroll
    for (int c = 0; c < N_CLASSES; ++c) out[r * N_CLASSES + c] = answer[c];
}
#endif

// Margins of linear experts for routed rows, beside tree experts: blocks as in forest_perfect.cu.
// slot_of_expert (K): which of `experts` (., d + 1, N_CLASSES), -1 for trees.
extern "C" __global__ void linear_margins(const float* __restrict__ X, int d, const int* __restrict__ slot_row,
                                          const int* __restrict__ block_expert, const int* __restrict__ block_begin,
                                          const int* __restrict__ block_end, const int* __restrict__ slot_of_expert,
                                          const float* __restrict__ experts, int stage, float* __restrict__ margins) {
    SHARED(float, tile);
    const int k = block_expert[blockIdx.x];
    if (k < 0 || slot_of_expert[k] < 0) return;
    const int begin = block_begin[blockIdx.x], end = block_end[blockIdx.x], slot = begin + threadIdx.x;
    const Row row = row_by_warp(X, slot_row, begin, end - begin, d, stage, tile);
    if (slot >= end) return;
    float p[N_CLASSES];
    linear<N_CLASSES>(row, experts + (long long)slot_of_expert[k] * (d + 1) * N_CLASSES, d, p);
#pragma unroll
    for (int c = 0; c < N_CLASSES; ++c) margins[(long long)slot * N_CLASSES + c] = p[c];
}
