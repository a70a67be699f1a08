//! Reading ahead on a thread of its own.
//!
//! Two batches circulate: one is filled while the other is used. The records and their order are
//! those of the source; only the time at which they are read differs.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use qt_model::record::{Batch, Source};

/// A source that runs on its own thread.
#[derive(Debug)]
pub struct Ahead<E, B = Batch> {
    filled: Option<Receiver<Result<B, E>>>,
    empty: SyncSender<B>,
    thread: Option<JoinHandle<()>>,
}

/// How many batches are filled before the reader waits.
const DEPTH: usize = 2;

impl<E: Send + 'static, B: Default + Send + 'static> Ahead<E, B> {
    pub fn spawn<S: Source<B, Error = E> + Send + 'static>(mut source: S) -> Self {
        let (give, filled) = sync_channel(DEPTH);
        let (empty, take) = sync_channel::<B>(DEPTH + 2);
        let thread = std::thread::spawn(move || {
            loop {
                let mut batch = take.try_recv().unwrap_or_default();
                let result = match source.next(&mut batch) {
                    Ok(true) => Ok(batch),
                    Ok(false) => return,
                    Err(error) => Err(error),
                };
                // The other side went away: nothing is left to do.
                if give.send(result).is_err() {
                    return;
                }
            }
        });
        Self { filled: Some(filled), empty, thread: Some(thread) }
    }
}

impl<E, B> Ahead<E, B> {
    fn join(&mut self) {
        if let Some(thread) = self.thread.take()
            && let Err(panic) = thread.join()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

impl<E: Send + 'static, B: Default + Send + 'static> Source<B> for Ahead<E, B> {
    type Error = E;

    fn next(&mut self, batch: &mut B) -> Result<bool, E> {
        // What was used goes back, to be filled again; enough circulate if the channel is full.
        let _ = self.empty.try_send(std::mem::take(batch));
        let Some(filled) = &self.filled else { return Ok(false) };
        match filled.recv() {
            Ok(Ok(full)) => {
                *batch = full;
                Ok(true)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => {
                self.filled = None;
                self.join();
                Ok(false)
            }
        }
    }
}

impl<E, B> Drop for Ahead<E, B> {
    fn drop(&mut self) {
        // Closing the channel stops the thread at its next batch. One that waits for a pipe is
        // left behind: it ends with the process.
        self.filled = None;
    }
}
