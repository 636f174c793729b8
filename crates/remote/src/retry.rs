//! Trying again, later and later, where that may help.

use crate::error::RemoteError;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// Without a connection there is little to wait for: the network is off, or the name is wrong.
const ATTEMPTS_TO_CONNECT: u32 = 3;

/// How often and how patiently a failed call is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a call is made at most; 1 is no retry.
    pub attempts: u32,
    /// The wait after the first failure; it doubles with each.
    pub first_wait: Duration,
    /// The longest wait. A server that asks for a longer one is not asked again.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    /// Six attempts. The longest wait is the window of the Hub's rate limits.
    fn default() -> Self {
        Self {
            attempts: 6,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(300),
        }
    }
}

impl RetryPolicy {
    /// How long to wait after this failure, the `attempt`th counted from 1, or nothing to give up.
    ///
    /// The wait is exponential, less up to half of it by a jitter that depends on what was asked
    /// for, so that files that failed together do not come back together. What the server asks for
    /// is never undercut.
    pub(crate) fn wait(&self, error: &RemoteError, attempt: u32, what: &str) -> Option<Duration> {
        let attempts = match error {
            RemoteError::Unreachable { .. } => self.attempts.min(ATTEMPTS_TO_CONNECT),
            _ => self.attempts,
        };
        if !error.is_retryable() || attempt >= attempts {
            return None;
        }
        let asked = match error {
            RemoteError::Busy { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        if asked > self.longest_wait {
            return None;
        }
        let doubled = self.first_wait.saturating_mul(1 << (attempt - 1).min(20));
        let mut hasher = DefaultHasher::new();
        (what, attempt).hash(&mut hasher);
        let jitter = hasher.finish() as f64 / u64::MAX as f64;
        let backoff = doubled.min(self.longest_wait).mul_f64(1.0 - jitter / 2.0);
        Some(backoff.max(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_heard_and_the_hopeless_is_left() {
        fn check(error: &RemoteError, attempt: u32, expected: Option<u64>) {
            let wait = RetryPolicy::default().wait(error, attempt, "a");
            assert_eq!(wait, expected.map(Duration::from_secs), "{error} at attempt {attempt}");
        }
        let busy = |status, wait: u64| RemoteError::Busy {
            what: String::new(),
            status,
            retry_after: Some(Duration::from_secs(wait)),
        };
        check(&busy(429, 7), 1, Some(7));
        check(&busy(503, 300), 5, Some(300));
        check(&busy(429, 7), 6, None);
        check(&busy(429, 301), 1, None);
        check(&RemoteError::Corrupt { what: String::new(), detail: String::new() }, 1, None);
        let lost = RemoteError::Unreachable { host: String::new(), detail: String::new() };
        check(&lost, 3, None);
        assert!(RetryPolicy::default().wait(&lost, 2, "a").is_some());
    }

    #[test]
    fn waits_double_with_jitter() {
        let policy = RetryPolicy::default();
        let cut = RemoteError::Cut { what: String::new(), detail: String::new() };
        for attempt in 1..6 {
            let wait = policy.wait(&cut, attempt, "a").unwrap().as_secs_f64();
            let full = 0.5 * 2_f64.powi(attempt as i32 - 1);
            assert!((full / 2.0..=full).contains(&wait), "attempt {attempt}: {wait} of {full}");
        }
        assert_ne!(policy.wait(&cut, 1, "a"), policy.wait(&cut, 1, "b"));
    }
}
