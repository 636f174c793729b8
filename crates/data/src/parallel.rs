//! Work on a stream of things by all cores at once, with the results in the stream's order.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Applies `work` to each item on `n_workers` threads and hands the results to `each` in order, until it
/// fails. At most a few items are in memory at any time.
pub(crate) fn in_order<T, U, E>(
    items: impl Iterator<Item = T> + Send,
    n_workers: usize,
    work: impl Fn(T) -> U + Sync,
    mut each: impl FnMut(U) -> Result<(), E>,
) -> Result<(), E>
where
    T: Send,
    U: Send,
{
    let n_workers = n_workers.max(1);
    thread::scope(|scope| {
        let (to_workers, queue) = sync_channel::<(usize, T)>(1);
        let (to_us, results) = sync_channel::<(usize, U)>(n_workers);
        // Bounds how far the workers may run ahead of a slow first item.
        let (permit, permits) = sync_channel::<()>(2 * n_workers);
        scope.spawn(move || feed(items, &to_workers, &permit));
        // Shared by the workers alone: when the last is gone, the feeder notices.
        let queue = Arc::new(Mutex::new(queue));
        let work = &work;
        for _ in 0..n_workers {
            let (queue, to_us) = (Arc::clone(&queue), to_us.clone());
            scope.spawn(move || work_off(&queue, &to_us, work));
        }
        drop((queue, to_us));
        let mut early = BTreeMap::new();
        let mut next = 0;
        for (index, result) in &results {
            early.insert(index, result);
            while let Some(result) = early.remove(&next) {
                next += 1;
                // The feeder is gone once its items are used up.
                let _ = permits.recv();
                if let Err(error) = each(result) {
                    // Dropping our ends stops the others at their next item.
                    drop(permits);
                    drop(results);
                    return Err(error);
                }
            }
        }
        Ok(())
    })
}

fn feed<T>(
    items: impl Iterator<Item = T>,
    to_workers: &SyncSender<(usize, T)>,
    permit: &SyncSender<()>,
) {
    for item in items.enumerate() {
        if permit.send(()).is_err() || to_workers.send(item).is_err() {
            return;
        }
    }
}

fn work_off<T, U>(
    queue: &Mutex<Receiver<(usize, T)>>,
    to_us: &SyncSender<(usize, U)>,
    work: impl Fn(T) -> U,
) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((index, item)) = next else {
            return;
        };
        if to_us.send((index, work(item))).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whoever_is_fastest() {
        let mut seen = Vec::new();
        let slow_at_times = |i: u64| {
            thread::sleep(std::time::Duration::from_millis(if i.is_multiple_of(5) {
                4
            } else {
                0
            }));
            i * i
        };
        let done: Result<(), ()> = in_order(0..200, 3, slow_at_times, |square| {
            seen.push(square);
            Ok(())
        });
        assert_eq!(done, Ok(()));
        assert_eq!(seen, (0..200).map(|i| i * i).collect::<Vec<_>>());
    }

    #[test]
    fn a_failure_stops_everything() {
        let failed = in_order(0.., 2, |i: u64| i, |i| if i == 10 { Err(i) } else { Ok(()) });
        assert_eq!(failed, Err(10));
    }
}
