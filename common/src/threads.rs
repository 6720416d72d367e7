//! The threads that the kernels of flex divide their work among: rayon's pool, as many as there are processors or as `RAYON_NUM_THREADS` says.

/// Makes this thread one of the pool's; to be called once, by the thread that is going to train, before anything is computed.
///
/// A thread outside of the pool hands each operation over and sleeps until it is done. For operations of a tenth of a millisecond that is a
/// fifth of the time. Which thread computes what changes no result.
pub fn join_pool() {
    #[cfg(feature = "flex")]
    {
        let asked = std::env::var("RAYON_NUM_THREADS").ok();
        let asked = asked.and_then(|n| n.parse().ok()).filter(|n| *n > 0);
        let there = || std::thread::available_parallelism().map_or(1, usize::from);
        // With a single thread nobody would be left to work for those that load batches, which this one waits for.
        if asked.unwrap_or_else(there) > 1 {
            // An error says that the pool is there already, which is as well.
            let _ = rayon::ThreadPoolBuilder::new()
                .use_current_thread()
                .build_global();
        }
    }
}
