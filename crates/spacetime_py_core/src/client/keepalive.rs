//! When to ping a silent server and when to take it for gone, from the clock that the caller reads.

/// Seconds; None switches the half off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    /// A server that was silent for this long is pinged.
    pub interval: Option<f64>,
    /// One that stays silent for this long after a ping is gone.
    pub timeout: Option<f64>,
}

#[derive(Debug)]
pub struct Keepalive {
    patience: Patience,
    heard: bool,
    pinged: bool,
    deadline: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    Ping,
    Gone,
}

impl Keepalive {
    pub fn new(patience: Patience) -> Self {
        Keepalive { patience, heard: false, pinged: false, deadline: None }
    }

    /// Bytes came. Cheap, since no clock is read: the next `tick` finds out.
    #[inline]
    pub fn hear(&mut self) {
        self.heard = true;
    }

    pub fn tick(&mut self, now: f64) -> Verdict {
        let Some(interval) = self.patience.interval else { return Verdict::Fine };
        let Some(deadline) = self.deadline else {
            self.deadline = Some(now + interval);
            return Verdict::Fine;
        };
        if now < deadline {
            return Verdict::Fine;
        }
        if std::mem::take(&mut self.heard) {
            self.pinged = false;
            self.deadline = Some(now + interval);
            return Verdict::Fine;
        }
        if std::mem::replace(&mut self.pinged, true) {
            return Verdict::Gone;
        }
        // Without a time limit the next ping waits for an answer to this one.
        self.deadline = self.patience.timeout.map(|timeout| now + timeout).or(Some(f64::INFINITY));
        Verdict::Ping
    }

    /// When to call `tick` next; None for never.
    pub fn next_tick(&self) -> Option<f64> {
        self.deadline.filter(|deadline| deadline.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keepalive(timeout: Option<f64>) -> Keepalive {
        Keepalive::new(Patience { interval: Some(20.0), timeout })
    }

    #[test]
    fn a_server_that_talks_is_left_alone() {
        let mut keepalive = keepalive(Some(10.0));
        assert_eq!((keepalive.tick(100.0), keepalive.next_tick()), (Verdict::Fine, Some(120.0)));
        keepalive.hear();
        assert_eq!((keepalive.tick(120.0), keepalive.next_tick()), (Verdict::Fine, Some(140.0)));
    }

    #[test]
    fn silence_is_pinged_and_silence_after_that_is_the_end() {
        let mut keepalive = keepalive(Some(10.0));
        keepalive.tick(0.0);
        assert_eq!((keepalive.tick(20.0), keepalive.next_tick()), (Verdict::Ping, Some(30.0)));
        assert_eq!(keepalive.tick(29.0), Verdict::Fine);
        assert_eq!(keepalive.tick(30.0), Verdict::Gone);
    }

    #[test]
    fn an_answer_to_the_ping_starts_anew() {
        let mut keepalive = keepalive(Some(10.0));
        keepalive.tick(0.0);
        keepalive.tick(20.0);
        keepalive.hear();
        assert_eq!((keepalive.tick(30.0), keepalive.next_tick()), (Verdict::Fine, Some(50.0)));
        assert_eq!(keepalive.tick(50.0), Verdict::Ping);
    }

    #[test]
    fn without_a_timeout_nobody_is_gone() {
        let mut keepalive = keepalive(None);
        keepalive.tick(0.0);
        assert_eq!((keepalive.tick(20.0), keepalive.next_tick()), (Verdict::Ping, None));
        assert_eq!(Keepalive::new(Patience { interval: None, timeout: None }).tick(1e9), Verdict::Fine);
    }
}
