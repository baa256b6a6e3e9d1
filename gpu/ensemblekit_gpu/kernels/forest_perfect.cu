// Margins of forests of perfect trees for routed rows. Compile with N_CLASSES, DEPTH and VECTOR (1: leaves hold every class).
//
// A block has the rows of one expert, one for each thread, feature-major in shared memory. Batches of whole trees are copied to
// shared memory, and each thread walks ILP trees at a time, so that the latency of one load hides behind the others.
#include "prelude.cuh"

#define ILP 4
#define SLOTS (1 << DEPTH)
#define WIDTH (VECTOR ? N_CLASSES : 1)

// 8 bytes: one 64-bit load brings a node. word: feature in bits 0..29, bit 30 padding, bit 31 missing goes left.
struct __align__(8) PerfectNode {
    float threshold;
    unsigned word;
};

__device__ __forceinline__ int child(PerfectNode q, Row row, int i) {
    const float v = row.x[(long long)(q.word & 0x3fffffffu) * row.step];
    return 2 * i + (v > q.threshold || (v != v && !(q.word >> 31)));  // NaN is above no threshold
}

// slot_row (n_slots): row of each slot. block_expert, block_begin, block_end: the block table of route.cu.
// group_of (K): experts that this launch evaluates are those of `group`. tree_start (K * N_CLASSES + 1): see PackedModel.
// nodes (., SLOTS) heaps from index 1; node_start, leaf_start (n_trees). base (K, N_CLASSES). margins (n_slots, N_CLASSES).
// trees_at_once: trees that fit in shared memory beside the rows.
extern "C" __global__ void forest_perfect(const float* __restrict__ X, int d, const int* __restrict__ slot_row,
                                          const int* __restrict__ block_expert, const int* __restrict__ block_begin,
                                          const int* __restrict__ block_end, const int* __restrict__ group_of, int group,
                                          const int* __restrict__ tree_start, const int* __restrict__ node_start,
                                          const int* __restrict__ leaf_start, const int* __restrict__ nodes,
                                          const float* __restrict__ leaf_values, const float* __restrict__ scale,
                                          const float* __restrict__ base, int stage, int trees_at_once,
                                          float* __restrict__ margins) {
    SHARED(PerfectNode, tree_nodes);                                       // trees_at_once * SLOTS
    float* tree_leaves = (float*)(tree_nodes + trees_at_once * SLOTS);     // the same number, scalar leaves only
    float* tile = tree_leaves + (VECTOR ? 0 : trees_at_once * SLOTS);      // d * blockDim.x
    const int k = block_expert[blockIdx.x];
    if (k < 0 || group_of[k] != group) return;  // the whole block leaves: no barrier is missed
    const int T = blockDim.x, t = threadIdx.x;
    const int begin = block_begin[blockIdx.x], end = block_end[blockIdx.x], slot = begin + t;
    const bool live = slot < end;
    const Row row = own_row(X, slot_row[live ? slot : begin], d, stage, tile);
    const PerfectNode* all_nodes = (const PerfectNode*)nodes;
    for (int c = 0; c < (VECTOR ? 1 : N_CLASSES); ++c) {  // a class is finished before the next: one accumulator
        float sum[WIDTH] = {};
        const int stop = tree_start[k * N_CLASSES + c + 1];
        for (int first = tree_start[k * N_CLASSES + c]; first < stop; first += trees_at_once) {
            const int count = min(trees_at_once, stop - first);
            __syncthreads();  // everybody is done with the batch before
            for (int e = t; e < count * SLOTS; e += T) tree_nodes[e] = all_nodes[node_start[first] + e];
            if (!VECTOR)
                for (int e = t; e < count * SLOTS; e += T) tree_leaves[e] = leaf_values[leaf_start[first] + e];
            __syncthreads();  // the batch is complete
            for (int tree = 0; tree < count; tree += ILP) {
                int at[ILP];
#pragma unroll
                for (int u = 0; u < ILP; ++u) at[u] = 1;
#pragma unroll
                for (int level = 0; level < DEPTH; ++level)
#pragma unroll
                    for (int u = 0; u < ILP; ++u)
                        at[u] = child(tree_nodes[min(tree + u, count - 1) * SLOTS + at[u]], row, at[u]);
#pragma unroll
                for (int u = 0; u < ILP; ++u) {
                    if (tree + u >= count) continue;
                    const int leaf = (tree + u) * SLOTS + at[u] - SLOTS;
                    const float* value =
                        VECTOR ? leaf_values + leaf_start[first] + (long long)leaf * N_CLASSES : tree_leaves + leaf;
#pragma unroll
                    for (int j = 0; j < WIDTH; ++j) sum[j] += value[j];
                }
            }
        }
        if (!live) continue;  // its neighbours still need it at the barriers
#pragma unroll
        for (int j = 0; j < WIDTH; ++j)
            margins[(long long)slot * N_CLASSES + c + j] = fmaf(sum[j], scale[k], base[k * N_CLASSES + c + j]);
    }
}
