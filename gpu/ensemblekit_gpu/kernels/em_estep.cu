// The E-step of EM: responsibilities, their weighted column sums and the log-likelihood. Compile with N_EXPERTS.
// Everything in float64: the log-likelihood must not fall by rounding. Block sums go to `partial`, and are added in block order
// afterwards, so that the result does not depend on the order in which blocks end.
#include "prelude.cuh"

// log_gate, log_density, responsibilities (n, N_EXPERTS); weight (n); partial (blocks, N_EXPERTS + 1), log-likelihood last.
// blockDim.x is a multiple of 32.
extern "C" __global__ void em_estep(const double* __restrict__ log_gate, const double* __restrict__ log_density,
                                    const double* __restrict__ weight, int n, double* __restrict__ responsibilities,
                                    double* __restrict__ partial) {
    SHARED(double, warps);  // (N_EXPERTS + 1) sums for each warp
    const long long row = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, n_warps = blockDim.x >> 5;
    const bool live = row < n;
    const double w = live ? weight[row] : 0.;
    double q[N_EXPERTS], top = -INFINITY, total = 0.;
#pragma unroll
    for (int k = 0; k < N_EXPERTS; ++k) {
        q[k] = live ? log_gate[row * N_EXPERTS + k] + log_density[row * N_EXPERTS + k] : 0.;
        top = fmax(top, q[k]);
    }
#pragma unroll
    for (int k = 0; k < N_EXPERTS; ++k) {
        q[k] = top == -INFINITY ? 1. : exp(q[k] - top);  // a row that no expert can explain is shared evenly
        total += q[k];
    }
#pragma unroll
    for (int k = 0; k < N_EXPERTS; ++k) {
        q[k] /= total;
        if (live) responsibilities[row * N_EXPERTS + k] = q[k];
        const double sum = warp_sum(w * q[k]);
        if (lane == 0) warps[warp * (N_EXPERTS + 1) + k] = sum;
    }
    const double sum = warp_sum(live ? w * (top + log(total)) : 0.);
    if (lane == 0) warps[warp * (N_EXPERTS + 1) + N_EXPERTS] = sum;
    __syncthreads();
    for (int k = threadIdx.x; k <= N_EXPERTS; k += blockDim.x) {
        double block = 0.;
        for (int v = 0; v < n_warps; ++v) block += warps[v * (N_EXPERTS + 1) + k];
        partial[(long long)blockIdx.x * (N_EXPERTS + 1) + k] = block;
    }
}
