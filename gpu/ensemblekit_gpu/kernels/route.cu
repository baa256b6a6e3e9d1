// Counting sort of (row, expert) pairs by expert. A block of threads then walks the trees of one expert only; without the sort
// a warp would hold rows of several experts and wait for all of them, and routing would save nothing. Indices move, rows do not.
// Compile with N_EXPERTS (at most 64) and TOP_K.
#include "prelude.cuh"

// counts (N_EXPERTS), zero before: pairs of each expert.
extern "C" __global__ void route_count(const int* __restrict__ chosen, int n_pairs, int* __restrict__ counts) {
    SHARED(int, mine);
    for (int k = threadIdx.x; k < N_EXPERTS; k += blockDim.x) mine[k] = 0;
    __syncthreads();
    const long long pair = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (pair < n_pairs && chosen[pair] >= 0) atomicAdd(mine + chosen[pair], 1);
    __syncthreads();
    for (int k = threadIdx.x; k < N_EXPERTS; k += blockDim.x)
        if (mine[k]) atomicAdd(counts + k, mine[k]);
}

// One block. cursor (N_EXPERTS): first slot of each expert. The block table gives each forest block one expert and its slots;
// entries that are left over get expert -1. `width` is the number of threads of a forest block.
extern "C" __global__ void route_blocks(const int* __restrict__ counts, int n_blocks, int width, int* __restrict__ cursor,
                                        int* __restrict__ block_expert, int* __restrict__ block_begin,
                                        int* __restrict__ block_end) {
    SHARED(int, first_slot);                    // N_EXPERTS + 1
    int* first_block = first_slot + N_EXPERTS + 1;  // N_EXPERTS + 1
    if (threadIdx.x == 0) {
        first_slot[0] = first_block[0] = 0;
        for (int k = 0; k < N_EXPERTS; ++k) {
            first_slot[k + 1] = first_slot[k] + counts[k];
            first_block[k + 1] = first_block[k] + (counts[k] + width - 1) / width;
        }
    }
    __syncthreads();
    for (int k = threadIdx.x; k < N_EXPERTS; k += blockDim.x) cursor[k] = first_slot[k];
    for (int b = threadIdx.x; b < n_blocks; b += blockDim.x) {
        int k = 0;
        while (k < N_EXPERTS && b >= first_block[k + 1]) ++k;
        const bool used = k < N_EXPERTS;
        const int begin = used ? first_slot[k] + (b - first_block[k]) * width : 0;
        block_expert[b] = used ? k : -1;
        block_begin[b] = begin;
        block_end[b] = used ? min(begin + width, first_slot[k + 1]) : 0;
    }
}

// slot_row (n_pairs): row of each slot; pair_slot (n_pairs): slot of each (row, rank), -1 where no expert runs.
// A block reserves a range for each expert with one atomic, then ranks its own pairs in shared memory.
extern "C" __global__ void route_scatter(const int* __restrict__ chosen, int n_pairs, int* __restrict__ cursor,
                                         int* __restrict__ slot_row, int* __restrict__ pair_slot) {
    SHARED(int, mine);              // N_EXPERTS counts
    int* base = mine + N_EXPERTS;  // N_EXPERTS reserved starts
    for (int k = threadIdx.x; k < N_EXPERTS; k += blockDim.x) mine[k] = 0;
    __syncthreads();
    const long long pair = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const int k = pair < n_pairs ? chosen[pair] : -1;
    const int rank = k >= 0 ? atomicAdd(mine + k, 1) : 0;
    __syncthreads();
    for (int e = threadIdx.x; e < N_EXPERTS; e += blockDim.x) base[e] = mine[e] ? atomicAdd(cursor + e, mine[e]) : 0;
    __syncthreads();
    if (pair >= n_pairs) return;
    pair_slot[pair] = k >= 0 ? base[k] + rank : -1;
    if (k >= 0) slot_row[base[k] + rank] = (int)(pair / TOP_K);
}
