// From the margins of the experts that ran to the mixture's answer. Compile with N_CLASSES and TOP_K.
#include "prelude.cuh"

// gates, chosen, pair_slot (n, TOP_K); margins (n_slots, N_CLASSES); link (K); out (n, N_CLASSES).
// The sum runs over ranks in a fixed order, so that the answer does not depend on how atomics sorted the rows.
extern "C" __global__ void combine(const float* __restrict__ gates, const int* __restrict__ chosen,
                                   const int* __restrict__ pair_slot, const float* __restrict__ margins,
                                   const int* __restrict__ link, int n, int mode, float* __restrict__ out) {
    const long long row = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= n) return;
    float answer[N_CLASSES];
#pragma unroll
    for (int c = 0; c < N_CLASSES; ++c) answer[c] = 0.f;
    for (int r = 0; r < TOP_K; ++r) {
        const int slot = pair_slot[row * TOP_K + r];
        if (slot < 0) continue;
        float p[N_CLASSES];
#pragma unroll
        for (int c = 0; c < N_CLASSES; ++c) p[c] = margins[(long long)slot * N_CLASSES + c];
        apply_link<N_CLASSES>(p, link[chosen[row * TOP_K + r]]);
        add_answer<N_CLASSES>(p, mode, gates[row * TOP_K + r], answer);
    }
    finish_answer<N_CLASSES>(mode, answer);
#pragma unroll
    for (int c = 0; c < N_CLASSES; ++c) out[row * N_CLASSES + c] = answer[c];
}
