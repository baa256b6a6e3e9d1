// Gates that are more than one linear table: logits for `gate_given` in gate.cu. One thread for each row, everything in float64, since
// squared distances and sums along a path are large numbers with small differences. No compile-time constants: nothing is kept in arrays.
#include "prelude.cuh"

// Logit of expert k: constant[k] minus half of the squared length of (x - mean[k]) @ factor[k].
// mean (K, d); factor (K, d, d), or with `diagonal` (K, 1, d); logits (n, K).
extern "C" __global__ void gaussian_logits(const float* __restrict__ X, int n, int d, const double* __restrict__ mean,
                                           const double* __restrict__ factor, const double* __restrict__ constant, int K, int diagonal,
                                           int stage, double* __restrict__ logits) {
    SHARED(float, tile);
    const long long first = (long long)blockIdx.x * blockDim.x, r = first + threadIdx.x;
    const Row row = row_by_warp(X, nullptr, first, (int)min((long long)blockDim.x, n - first), d, stage, tile);
    if (r >= n) return;
    for (int k = 0; k < K; ++k) {
        const double* centre = mean + (long long)k * d;
        const double* own = factor + (long long)k * d * (diagonal ? 1 : d);
        double total = 0.;
        for (int c = 0; c < d; ++c) {
            double z = 0.;
            if (diagonal) z = ((double)row.x[c * row.step] - centre[c]) * own[c];
            else
                for (int j = 0; j < d; ++j) z = fma((double)row.x[j * row.step] - centre[j], own[(long long)j * d + c], z);
            total = fma(z, z, total);
        }
        logits[r * K + k] = constant[k] - 0.5 * total;
    }
}

// Log-softmax in every node, summed along each expert's path.
// table (columns + 1, M), intercepts last; node (M), those of a node adjacent; path (K, levels); branches (M, n) is room to work.
extern "C" __global__ void hierarchy_logits(const float* __restrict__ X, int n, int d, const double* __restrict__ table, int columns,
                                            const int* __restrict__ node, int M, const int* __restrict__ path, int levels,
                                            const double* __restrict__ offset, int K, int stage, double* __restrict__ branches,
                                            double* __restrict__ logits) {
    SHARED(float, tile);
    const long long first = (long long)blockIdx.x * blockDim.x, r = first + threadIdx.x;
    const Row row = row_by_warp(X, nullptr, first, (int)min((long long)blockDim.x, n - first), columns ? d : 0, stage, tile);
    if (r >= n) return;
    for (int m = 0; m < M; ++m) {
        double logit = table[(long long)columns * M + m];
        for (int j = 0; j < columns; ++j) logit = fma((double)row.x[j * row.step], table[(long long)j * M + m], logit);
        branches[(long long)m * n + r] = logit;
    }
    for (int begin = 0, end; begin < M; begin = end) {
        double top = branches[(long long)begin * n + r], total = 0.;
        for (end = begin + 1; end < M && node[end] == node[begin]; ++end) top = fmax(top, branches[(long long)end * n + r]);
        for (int m = begin; m < end; ++m) total += exp(branches[(long long)m * n + r] - top);
        for (int m = begin; m < end; ++m) branches[(long long)m * n + r] -= top + log(total);
    }
    for (int k = 0; k < K; ++k) {
        double logit = offset[k];
        for (int level = 0; level < levels; ++level) logit += branches[(long long)path[k * levels + level] * n + r];
        logits[r * K + k] = logit;
    }
}

// The answer of a classifier of rows into experts: proba (n, K), at least `floor`.
extern "C" __global__ void classifier_logits(const float* __restrict__ proba, int n, int K, const double* __restrict__ offset,
                                             float floor, double* __restrict__ logits) {
    const long long r = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (r >= n) return;
    for (int k = 0; k < K; ++k) logits[r * K + k] = log((double)fmaxf(proba[r * K + k], floor)) + offset[k];
}
