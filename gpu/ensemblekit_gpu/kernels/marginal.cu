// One row's share in the marginal likelihood of a mixture of linear predictors and in its gradient. Compile with N_EXPERTS.
//
// log-likelihood  l = log(sum_k (g_k p_k)^s) / s        s = sharpness, 1 for the likelihood itself
// its gradient    gate logit k: r_k - g_k               expert k: r_k times the score of log p_k
// with responsibilities r_k proportional to (g_k p_k)^s: an E-step whose result is used at once instead of being stored.
// Everything in float64. Arrays have one line for each predictor, so that neighbouring threads read neighbouring words.
#include "prelude.cuh"

// eta (N_EXPERTS - 1 + N_EXPERTS * M, n): gate logits of all experts but the first, then M predictors of each expert.
// With `gaussian` M is 2, mean and logarithm of the variance above `floor`, and targets is (1, n); else predictors are logits of all
// classes but the first, and targets (M, n) holds class probabilities. weight (n). gradient, like eta, times the row's weight.
// partial (blocks): sums of weight times log-likelihood. blockDim.x is a multiple of 32.
extern "C" __global__ void marginal_rows(const double* __restrict__ eta, const double* __restrict__ targets,
                                         const double* __restrict__ weight, int n, int M, int gaussian, double floor,
                                         double sharpness, double* __restrict__ gradient, double* __restrict__ partial) {
    SHARED(double, warps);  // one sum for each warp
    const long long r = (long long)blockIdx.x * blockDim.x + threadIdx.x, step = n;
    double log_likelihood = 0.;
    if (r < n) {
        const double w = weight[r];
        double gate_top = 0., gate_total = 0.;
        for (int k = 1; k < N_EXPERTS; ++k) gate_top = fmax(gate_top, eta[(k - 1) * step + r]);
        for (int k = 0; k < N_EXPERTS; ++k) gate_total += exp((k ? eta[(k - 1) * step + r] : 0.) - gate_top);
        const double gate_norm = gate_top + log(gate_total);
        double q[N_EXPERTS], top = -INFINITY, total = 0.;
#pragma unroll
        for (int k = 0; k < N_EXPERTS; ++k) {
            const long long own = (N_EXPERTS - 1 + (long long)k * M) * step + r;
            const double log_gate = (k ? eta[(k - 1) * step + r] : 0.) - gate_norm;
            double density;
            if (gaussian) {
                const double variance = floor + exp(fmin(eta[own + step], 80.)), error = targets[r] - eta[own];
                density = -0.5 * (log(6.283185307179586 * variance) + error * error / variance);
            } else {
                double most = 0., mass = 0., said = 0.;
                for (int c = 0; c < M; ++c) most = fmax(most, eta[own + c * step]);
                for (int c = 0; c < M; ++c) {
                    mass += exp(eta[own + c * step] - most);
                    said += eta[own + c * step] * targets[c * step + r];
                }
                const double norm = most + log(mass + exp(-most));
                density = said - norm;
                gradient[own] = norm;  // kept there until the responsibility is known
            }
            q[k] = sharpness * (log_gate + density);
            top = fmax(top, q[k]);
        }
#pragma unroll
        for (int k = 0; k < N_EXPERTS; ++k) {
            q[k] = exp(q[k] - top);
            total += q[k];
        }
        log_likelihood = w * (top + log(total)) / sharpness;
#pragma unroll
        for (int k = 0; k < N_EXPERTS; ++k) {
            const double share = q[k] / total;
            const long long own = (N_EXPERTS - 1 + (long long)k * M) * step + r;
            if (k) gradient[(k - 1) * step + r] = w * (share - exp(eta[(k - 1) * step + r] - gate_norm));
            if (gaussian) {
                const double excess = exp(fmin(eta[own + step], 80.)), variance = floor + excess, error = targets[r] - eta[own];
                gradient[own] = w * share * error / variance;
                gradient[own + step] = w * share * excess * (error * error / variance - 1.) / (2. * variance);
            } else {
                const double norm = gradient[own];
                for (int c = 0; c < M; ++c)
                    gradient[own + c * step] = w * share * (targets[c * step + r] - exp(eta[own + c * step] - norm));
            }
        }
    }
    const double sum = warp_sum(log_likelihood);  // all threads of the block come here
    if ((threadIdx.x & 31) == 0) warps[threadIdx.x >> 5] = sum;
    __syncthreads();
    if (threadIdx.x) return;
    double block = 0.;
    for (int v = 0; v < (int)blockDim.x >> 5; ++v) block += warps[v];
    partial[blockIdx.x] = block;
}
