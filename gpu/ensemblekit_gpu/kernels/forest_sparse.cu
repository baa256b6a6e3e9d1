// Margins of forests of linked trees (deep, or with categorical splits) for routed rows. Compile with N_CLASSES and VECTOR.
// Nodes stay in global memory: a whole forest fits the second-level cache, and one tree rarely fits shared memory.
#include "prelude.cuh"

#define WIDTH (VECTOR ? N_CLASSES : 1)

// 16 bytes: one 128-bit load brings a node. word: feature in bits 0..27, bit 28 missing goes left, bit 29 categorical, bit 30
// unknown category goes left, bit 31 leaf. The right child follows the left one.
struct __align__(16) SparseNode {
    float threshold;
    int left;
    unsigned word;
    int extra;
};

__device__ __forceinline__ bool goes_left(SparseNode q, float v, const unsigned* __restrict__ categories) {
    if (v != v) return q.word >> 28 & 1;
    if (!(q.word >> 29 & 1)) return v <= q.threshold;
    const unsigned n_words = categories[q.extra];
    if (!(v >= 0.f && v < 32.f * (float)n_words)) return q.word >> 30 & 1;
    const unsigned code = (unsigned)v;
    return categories[q.extra + 1 + (code >> 5)] >> (code & 31) & 1;
}

// Arguments as in forest_perfect.cu; a leaf's values begin at leaf_values[extra].
extern "C" __global__ void forest_sparse(const float* __restrict__ X, int d, const int* __restrict__ slot_row,
                                         const int* __restrict__ block_expert, const int* __restrict__ block_begin,
                                         const int* __restrict__ block_end, const int* __restrict__ group_of, int group,
                                         const int* __restrict__ tree_start, const int* __restrict__ node_start,
                                         const int* __restrict__ nodes, const float* __restrict__ leaf_values,
                                         const unsigned* __restrict__ categories, const float* __restrict__ scale,
                                         const float* __restrict__ base, int stage, float* __restrict__ margins) {
    SHARED(float, tile);
    const int k = block_expert[blockIdx.x];
    if (k < 0 || group_of[k] != group) return;
    const int begin = block_begin[blockIdx.x], end = block_end[blockIdx.x], slot = begin + threadIdx.x;
    if (slot >= end) return;
    const Row row = own_row(X, slot_row[slot], d, stage, tile);
    const SparseNode* all_nodes = (const SparseNode*)nodes;
    for (int c = 0; c < (VECTOR ? 1 : N_CLASSES); ++c) {  // a class is finished before the next: one accumulator
        float sum[WIDTH] = {};
        for (int tree = tree_start[k * N_CLASSES + c]; tree < tree_start[k * N_CLASSES + c + 1]; ++tree) {
            SparseNode q = all_nodes[node_start[tree]];
            while (!(q.word >> 31)) {
                const float v = row.x[(long long)(q.word & 0x0fffffffu) * row.step];
                q = all_nodes[q.left + (goes_left(q, v, categories) ? 0 : 1)];
            }
#pragma unroll
            for (int j = 0; j < WIDTH; ++j) sum[j] += leaf_values[q.extra + j];
        }
#pragma unroll
        for (int j = 0; j < WIDTH; ++j)
            margins[(long long)slot * N_CLASSES + c + j] = fmaf(sum[j], scale[k], base[k * N_CLASSES + c + j]);
    }
}
