//! Whose processor time it is.

/// The lowest priority there is (`nice`): of two threads that compete for a processor, one that has
/// it gets a seventieth of what the other gets, and all of it when nobody else wants it.
pub(crate) const LOWEST: i32 = 19;

/// Has this thread work only when nobody else wants the processor. There is no way back without
/// privileges, so this is for threads that end with their work. No such thread may hold
/// a lock for longer than a few instructions that guests take too: it may be kept from
/// running while it holds it.
pub(crate) fn give_way() {
    // On Linux a priority is a thread's, whatever POSIX says of processes.
    if let Err(error) = rustix::process::setpriority_process(None, LOWEST) {
        tracing::warn!(%error, "a capture competes with guests for the processor");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn priority() -> i32 {
        rustix::process::getpriority_process(None).unwrap()
    }

    #[test]
    fn a_thread_gives_way_by_itself() {
        let before = priority();
        let niced = std::thread::spawn(|| {
            give_way();
            priority()
        });
        assert_eq!(niced.join().unwrap(), LOWEST);
        assert_eq!(priority(), before);
    }
}
