// One row's share in the marginal likelihood of a mixture of linear predictors and in its gradient. One thread for each row.
//
// log-likelihood  l = log(sum_k (g_k p_k)^s) / s        s = sharpness, 1 for the likelihood itself
// its gradient    gate logit k: r_k - g_k               expert k: r_k times the score of log p_k
// with responsibilities r_k proportional to (g_k p_k)^s: an E-step whose result is used at once instead of being stored.
// Everything in float64. Arrays have one line for each predictor, so that neighbouring threads read neighbouring words. What a row needs
// to remember of an expert waits in the gradient's own place, so that registers do not grow with the number
// of experts; loops stay rolled for the same reason.
#include "prelude.cuh"

// eta (K - 1 + K * M, n): gate logits of all experts but the first, then M predictors of each expert.
// With `gaussian` M is 2, mean and logarithm of the variance above `floor`, and targets is (1, n); else predictors are logits of all
// classes but the first, and targets (M, n) holds class probabilities. weight (n). gradient, like eta, times the row's weight.
// partial (blocks): sums of weight times log-likelihood. blockDim.x is a multiple of 32.
extern "C" __global__ void marginal_rows(const double* __restrict__ eta, const double* __restrict__ targets,
                                         const double* __restrict__ weight, int n, int K, int M, int gaussian, double floor,
                                         double sharpness, double* gradient, double* __restrict__ partial) {
    SHARED(double, warps);  // one sum for each warp
    const long long r = (long long)blockIdx.x * blockDim.x + threadIdx.x, step = n;
    double log_likelihood = 0.;
    if (r < n) {
        const double w = weight[r];
        const double *logit = eta + r - step, *of_experts = eta + r + (K - 1) * step;  // the first expert has no logit: it is zero
        double *to_gate = gradient + r - step, *to_experts = gradient + r + (K - 1) * step;
        double gate_top = 0., gate_total = 0.;
#pragma unroll 1
        for (int k = 1; k < K; ++k) gate_top = fmax(gate_top, logit[k * step]);
#pragma unroll 1
        for (int k = 0; k < K; ++k) gate_total += exp((k ? logit[k * step] : 0.) - gate_top);
        const double gate_norm = gate_top + log(gate_total);
        double first = 0., top = -INFINITY, total = 0.;  // `first`: of expert 0, the others' wait in to_gate
#pragma unroll 1
        for (int k = 0; k < K; ++k) {
            const double* predictor = of_experts + k * M * step;
            double density;
            if (gaussian) {
                const double variance = floor + exp(fmin(predictor[step], 80.)), error = targets[r] - predictor[0];
                density = -0.5 * (log(6.283185307179586 * variance) + error * error / variance);
            } else {
                double most = 0., mass = 0., said = 0.;
#pragma unroll 1
                for (int c = 0; c < M; ++c) most = fmax(most, predictor[c * step]);
#pragma unroll 1
                for (int c = 0; c < M; ++c) {
                    mass += exp(predictor[c * step] - most);
                    said += predictor[c * step] * targets[c * step + r];
                }
                const double norm = most + log(mass + exp(-most));
                density = said - norm;
                to_experts[k * M * step] = norm;
            }
            const double joint = sharpness * ((k ? logit[k * step] : 0.) - gate_norm + density);
            top = fmax(top, joint);
            if (k) to_gate[k * step] = joint;
            else first = joint;
        }
#pragma unroll 1
        for (int k = 0; k < K; ++k) total += exp((k ? to_gate[k * step] : first) - top);
        log_likelihood = w * (top + log(total)) / sharpness;
#pragma unroll 1
        for (int k = 0; k < K; ++k) {
            const double share = exp((k ? to_gate[k * step] : first) - top) / total;
            const double* predictor = of_experts + k * M * step;
            double* slope = to_experts + k * M * step;
            if (k) to_gate[k * step] = w * (share - exp(logit[k * step] - gate_norm));
            if (gaussian) {
                const double excess = exp(fmin(predictor[step], 80.)), variance = floor + excess, error = targets[r] - predictor[0];
                slope[0] = w * share * error / variance;
                slope[step] = w * share * excess * (error * error / variance - 1.) / (2. * variance);
            } else {
                const double norm = slope[0];
#pragma unroll 1
                for (int c = 0; c < M; ++c) slope[c * step] = w * share * (targets[c * step + r] - exp(predictor[c * step] - norm));
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
