// Runs CUDA C kernels on a CPU, so that they can be tested without a GPU. For tests only; one-dimensional grids.
//
// SIM_FIBERS  one fiber for each CUDA thread, on one OS thread: deterministic. Barriers and shuffles work; shared memory starts
//             as NaN; threads run in an order that the test chooses between barriers; a barrier that only part of a block
//             reaches, and a write behind the end of shared memory, are reported.
// SIM_THREADS one OS thread for each CUDA thread of a block: for ThreadSanitizer and AddressSanitizer.
#pragma once
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>
#ifdef SIM_THREADS
#include <barrier>
#include <thread>
#else
#include <ucontext.h>
#endif

#define __global__
#define __device__
#define __forceinline__ inline
#define __align__(n) alignas(n)
#define SHARED(T, name) T* name = (T*)sim::shared
using std::max;
using std::min;

namespace sim {
enum Failure { NONE = 0, DIVERGENT_BARRIER = 1, SHARED_OVERRUN = 2 };
struct Index { unsigned x; };
constexpr unsigned WARP = 32, GUARD = 64;

inline thread_local Index thread_index, block_index;
inline Index block_dim, grid_dim;
inline unsigned char* shared;
inline double lane_value[32][WARP];  // what each lane of each warp offers to a shuffle

inline void barrier_block();
inline void barrier_warp();

template <class V>
V shuffle(V value, unsigned from) {
    const unsigned warp = thread_index.x / WARP, lane = thread_index.x % WARP;
    std::memcpy(&lane_value[warp][lane], &value, sizeof(V));
    barrier_warp();
    if (from < WARP) std::memcpy(&value, &lane_value[warp][from], sizeof(V));
    barrier_warp();
    return value;
}
}  // namespace sim

#define threadIdx sim::thread_index
#define blockIdx sim::block_index
#define blockDim sim::block_dim
#define gridDim sim::grid_dim
inline void __syncthreads() { sim::barrier_block(); }
inline void __syncwarp() { sim::barrier_warp(); }
template <class V>
V __shfl_down_sync(unsigned, V value, unsigned delta) {
    return sim::shuffle(value, threadIdx.x % sim::WARP + delta);
}
template <class V>
V atomicAdd(V* at, V value) {
    return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
}

namespace sim {
#ifdef SIM_THREADS
inline std::unique_ptr<std::barrier<>> block_barrier;
inline std::vector<std::unique_ptr<std::barrier<>>> warp_barriers;
inline void barrier_block() { block_barrier->arrive_and_wait(); }
inline void barrier_warp() { warp_barriers[thread_index.x / WARP]->arrive_and_wait(); }

template <class Body>
int run(unsigned blocks, unsigned threads, unsigned bytes, int, const Body& body) {
    block_dim.x = threads;
    grid_dim.x = blocks;
    for (unsigned block = 0; block < blocks; ++block) {
        std::unique_ptr<unsigned char[]> memory(new (std::align_val_t(16)) unsigned char[bytes ? bytes : 1]);  // exact: ASan sees
        std::memset(memory.get(), 0xff, bytes);
        shared = memory.get();
        block_barrier = std::make_unique<std::barrier<>>(threads);
        warp_barriers.clear();
        for (unsigned first = 0; first < threads; first += WARP)
            warp_barriers.push_back(std::make_unique<std::barrier<>>(std::min(WARP, threads - first)));
        std::vector<std::thread> all;
        for (unsigned t = 0; t < threads; ++t)
            all.emplace_back([&, t] {
                thread_index.x = t;
                block_index.x = block;
                body();
                block_barrier->arrive_and_drop();
                warp_barriers[t / WARP]->arrive_and_drop();
            });
        for (auto& thread : all) thread.join();
        ::operator delete[](memory.release(), std::align_val_t(16));
    }
    return NONE;
}
#else
enum Waiting { RUNNING, AT_BLOCK, AT_WARP, DONE };
struct Fiber {
    ucontext_t context;
    Waiting waiting;
    std::unique_ptr<unsigned char[]> stack;
};
constexpr size_t STACK = 64 << 10;
inline std::vector<Fiber> fibers;
inline ucontext_t scheduler;
inline const void* current_body;

inline void leave(Waiting why) {
    Fiber& mine = fibers[thread_index.x];
    mine.waiting = why;
    swapcontext(&mine.context, &scheduler);
}
inline void barrier_block() { leave(AT_BLOCK); }
inline void barrier_warp() { leave(AT_WARP); }

template <class Body>
void enter() {
    (*(const Body*)current_body)();
    leave(DONE);
}

// 0 ascending, 1 descending, else a shuffle that differs from block to block.
inline std::vector<unsigned> thread_order(unsigned threads, int order, unsigned block) {
    std::vector<unsigned> by(threads);
    for (unsigned t = 0; t < threads; ++t) by[t] = order == 1 ? threads - 1 - t : t;
    uint64_t state = 0x9e3779b97f4a7c15ull * (order + 1) + block;
    for (unsigned t = threads - 1; order > 1 && t > 0; --t) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        std::swap(by[t], by[(state >> 33) % (t + 1)]);
    }
    return by;
}

// Let threads pass a barrier that all of the range reached; 1 if they did, -1 if some of them never will.
inline int release(unsigned begin, unsigned end, Waiting at) {
    unsigned here = 0, done = 0;
    for (unsigned t = begin; t < end; ++t) {
        here += fibers[t].waiting == at;
        done += fibers[t].waiting == DONE;
    }
    if (here && done) return -1;
    if (here < end - begin) return 0;
    for (unsigned t = begin; t < end; ++t) fibers[t].waiting = RUNNING;
    return 1;
}

template <class Body>
int run_block(unsigned threads, const std::vector<unsigned>& by, const Body& body) {
    current_body = &body;
    for (Fiber& fiber : fibers) {
        fiber.waiting = RUNNING;
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.get();
        fiber.context.uc_stack.ss_size = STACK;
        fiber.context.uc_link = nullptr;
        makecontext(&fiber.context, enter<Body>, 0);
    }
    for (;;) {
        for (unsigned t : by) {
            if (fibers[t].waiting != RUNNING) continue;
            thread_index.x = t;
            swapcontext(&scheduler, &fibers[t].context);
        }
        if (std::all_of(fibers.begin(), fibers.end(), [](const Fiber& f) { return f.waiting == DONE; })) return NONE;
        bool moved = false;
        for (unsigned first = 0; first < threads; first += WARP) {
            const int warp = release(first, std::min(first + WARP, threads), AT_WARP);
            if (warp < 0) return DIVERGENT_BARRIER;
            moved |= warp > 0;
        }
        const int block = release(0, threads, AT_BLOCK);
        if (block < 0 || !(moved || block)) return DIVERGENT_BARRIER;
    }
}

template <class Body>
int run(unsigned blocks, unsigned threads, unsigned bytes, int order, const Body& body) {
    block_dim.x = threads;
    grid_dim.x = blocks;
    fibers = std::vector<Fiber>(threads);
    for (Fiber& fiber : fibers) fiber.stack.reset(new unsigned char[STACK]);
    std::vector<double> memory((bytes + GUARD) / sizeof(double) + 4);
    shared = (unsigned char*)(((uintptr_t)memory.data() + 15) & ~(uintptr_t)15);
    for (unsigned block = 0; block < blocks; ++block) {
        block_index.x = block;
        std::memset(shared, 0xff, bytes + GUARD);  // NaN
        const int failure = run_block(threads, thread_order(threads, order, block), body);
        if (failure) return failure;
        for (unsigned i = 0; i < GUARD; ++i)
            if (shared[bytes + i] != 0xff) return SHARED_OVERRUN;
    }
    return NONE;
}
#endif
}  // namespace sim
