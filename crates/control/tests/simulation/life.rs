//! One life of a server, in which everything happens in one order: that of its seed.
//!
//! Tasks run on one thread, in the order in which they became ready, and what blocks runs on another
//! one, in the order in which it was handed over. Between any two polls of a task the first thread
//! waits until every other thread of the process is at rest (see [`rest`](crate::rest)): what SQLite
//! answers and what the engine finishes has then arrived. Whoever is woken by another thread goes on before
//! anybody else does, so that it makes no difference whether an answer came within the poll that asked for
//! it or after it.
//!
//! Time stands still as long as there is anything to do, and then goes on by a [`TICK`].
//!
//! A death ends all this at one instant: the disk takes nothing more, what SQLite had committed by then
//! is copied aside, and whoever waits for an answer gets none. What is left of the life goes on against
//! a dead disk and files that nobody looks at again, until all of its threads have ended.

use std::{
    fs, io,
    path::{Path, PathBuf},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use cairn_testkit::SimDisk;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::rest::Threads;

/// How far time goes on when there is nothing to do.
const TICK: Duration = Duration::from_millis(250);

/// Ticks after which whoever still waits is held to wait for ever: an hour.
const PATIENCE: u32 = 4 * 3600;

/// The process died before the answer.
#[derive(Debug)]
pub(crate) struct Died;

/// A runtime in which everything happens in one order.
pub(crate) struct Life {
    runtime: Runtime,
    threads: Threads,
    /// Raised when no task is ready.
    idle: Arc<AtomicBool>,
    disk: SimDisk,
    data_dir: PathBuf,
}

impl Life {
    pub(crate) fn begin(disk: &SimDisk, data_dir: &Path) -> Self {
        let idle = Arc::new(AtomicBool::new(false));
        let raised = Arc::clone(&idle);
        let runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .event_interval(1)
            .global_queue_interval(1)
            .max_blocking_threads(1)
            // A thread that ends for want of work would be one more event of real time.
            .thread_keep_alive(Duration::from_secs(3600))
            .on_thread_park(move || raised.store(true, Ordering::SeqCst))
            .build()
            .unwrap();
        let (from, to) = (data_dir.to_owned(), aside(data_dir));
        disk.on_death(move || copy(&from, &to).unwrap());
        Self {
            runtime,
            threads: Threads::new(),
            idle,
            disk: disk.clone(),
            data_dir: data_dir.to_owned(),
        }
    }

    /// Runs until there is an answer, or nobody left to give one.
    pub(crate) fn run<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Died> {
        let stepped = Stepped {
            work: pin!(work),
            woken: Arc::new(Woken(AtomicBool::new(true))),
            threads: &mut self.threads,
            idle: &self.idle,
            disk: &self.disk,
            ticks: 0,
        };
        self.runtime.block_on(stepped)
    }

    /// Ends the process where it is, and waits until nothing is left of it. `remains` is dropped where
    /// its tasks can still be spawned. What the metadata were at the death is then what they are.
    pub(crate) fn end(self, remains: impl Sized) {
        self.disk.kill();
        let entered = self.runtime.enter();
        drop(remains);
        drop(entered);
        drop(self.runtime);
        self.threads.wait_for_the_end();
        fs::remove_dir_all(&self.data_dir).unwrap();
        fs::rename(aside(&self.data_dir), &self.data_dir).unwrap();
    }
}

/// Work that is polled between any two polls of tasks.
struct Stepped<'a, F> {
    work: Pin<&'a mut F>,
    woken: Arc<Woken>,
    threads: &'a mut Threads,
    idle: &'a AtomicBool,
    disk: &'a SimDisk,
    /// Since the work last went on.
    ticks: u32,
}

impl<F: Future> Stepped<'_, F> {
    /// Waits for all other threads, and says whether there is still a process.
    fn is_alive(&mut self) -> bool {
        self.threads.rest();
        !self.disk.is_dead()
    }

    /// Lets time go on if there is nothing else to do.
    fn tick(&mut self, cx: &mut Context<'_>) {
        let nothing_ready = self.idle.swap(false, Ordering::SeqCst);
        if !nothing_ready || Handle::current().metrics().global_queue_depth() > 0 {
            return;
        }
        self.ticks += 1;
        assert!(self.ticks < PATIENCE, "it waits for ever");
        // Time has gone on at the first poll; the rest of it is a yield.
        let advanced = pin!(tokio::time::advance(TICK)).poll(cx);
        assert!(advanced.is_pending());
    }
}

impl<F: Future> Future for Stepped<'_, F> {
    type Output = Result<F::Output, Died>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // To be polled again after the next task, or when there is none.
        cx.waker().wake_by_ref();
        if !this.is_alive() {
            return Poll::Ready(Err(Died));
        }
        if !this.woken.0.load(Ordering::SeqCst) {
            this.tick(cx);
            return Poll::Pending;
        }
        this.ticks = 0;
        let waker = Waker::from(Arc::clone(&this.woken));
        // What was answered by other threads is taken up at once, so that it makes no difference whether
        // the answer was there at the first look.
        while this.woken.0.swap(false, Ordering::SeqCst) {
            let polled = this.work.as_mut().poll(&mut Context::from_waker(&waker));
            if !this.is_alive() {
                return Poll::Ready(Err(Died));
            }
            if let Poll::Ready(answer) = polled {
                return Poll::Ready(Ok(answer));
            }
        }
        Poll::Pending
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn aside(data_dir: &Path) -> PathBuf {
    data_dir.with_extension("at-death")
}

/// Copies the files that do not lie on the simulated disk, as a process that is killed leaves them.
/// SQLite makes its shared memory anew.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_file() && !entry.file_name().as_encoded_bytes().ends_with(b"-shm") {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
