//! The network between hosts: it delays, loses and cuts, by a seed.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Longer than what a device carries.
const PACKET_MAX: usize = 2048;
/// How often it looks for what is due.
const TICK: Duration = Duration::from_millis(1);

/// What happens to packets.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// How long each takes, one way.
    pub delay: Duration,
    /// By how much longer at most.
    pub jitter: Duration,
    /// Of a thousand, how many are lost.
    pub lost_permille: u64,
    /// Decides which.
    pub seed: u64,
}

/// Between the ends of wires in one folder. It ends when it is dropped.
#[derive(Debug)]
pub struct Router {
    shared: Arc<Mutex<Shared>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Whoever is in here reaches only others in here, and is reached by nobody else.
    island: BTreeSet<Ipv4Addr>,
    counts: Counts,
    over: bool,
}

/// What has happened to packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Handed on.
    pub carried: u64,
    /// Lost by chance.
    pub lost: u64,
    /// Lost between an island and the rest.
    pub cut: u64,
}

impl Router {
    /// Begins to carry packets between the sockets of `folder`.
    ///
    /// # Errors
    ///
    /// When the router's own socket cannot be made.
    pub fn start(folder: &Path, weather: Weather) -> io::Result<Self> {
        let socket = UnixDatagram::bind(folder.join("router"))?;
        socket.set_read_timeout(Some(TICK))?;
        let shared = Arc::<Mutex<Shared>>::default();
        let carrying = Carrying {
            folder: folder.to_owned(),
            socket,
            weather,
            random: weather.seed | 1,
            queue: BinaryHeap::new(),
            shared: Arc::clone(&shared),
        };
        let thread = Some(thread::spawn(move || carrying.run()));
        Ok(Self { shared, thread })
    }

    /// Cuts these off from the rest; nobody if there are none.
    pub fn cut(&self, island: impl IntoIterator<Item = Ipv4Addr>) {
        lock(&self.shared).island = island.into_iter().collect();
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        lock(&self.shared).counts
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        lock(&self.shared).over = true;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn lock(shared: &Mutex<Shared>) -> std::sync::MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When it is due; a number that orders those due at once; to whom; and the packet.
type Parcel = (Instant, u64, Ipv4Addr, Vec<u8>);

#[expect(
    clippy::disallowed_methods,
    reason = "wires between real machines take real time"
)]
fn now() -> Instant {
    Instant::now()
}

struct Carrying {
    folder: PathBuf,
    socket: UnixDatagram,
    weather: Weather,
    random: u64,
    /// By when they are due.
    queue: BinaryHeap<Reverse<Parcel>>,
    shared: Arc<Mutex<Shared>>,
}

impl Carrying {
    fn run(mut self) {
        let mut packet = [0; PACKET_MAX];
        while !lock(&self.shared).over {
            if let Ok(length) = self.socket.recv(&mut packet) {
                self.take(&packet[..length]);
            }
            let now = now();
            while self
                .queue
                .peek()
                .is_some_and(|Reverse((due, ..))| *due <= now)
            {
                if let Some(Reverse((_, _, to, packet))) = self.queue.pop() {
                    // Who is not there any more gets nothing.
                    self.socket
                        .send_to(&packet, self.folder.join(to.to_string()))
                        .ok();
                }
            }
        }
    }

    fn take(&mut self, packet: &[u8]) {
        let Some((from, to)) = ends(packet) else {
            return;
        };
        let number = self.number();
        let mut shared = lock(&self.shared);
        if shared.island.contains(&from) != shared.island.contains(&to) {
            shared.counts.cut += 1;
            return;
        }
        if number % 1000 < self.weather.lost_permille {
            shared.counts.lost += 1;
            return;
        }
        shared.counts.carried += 1;
        drop(shared);
        let jitter = self.weather.jitter.as_micros() as u64;
        let later = Duration::from_micros((number >> 20) % (jitter + 1));
        let due = now() + self.weather.delay + later;
        self.queue.push(Reverse((due, number, to, packet.to_vec())));
    }

    /// Marsaglia's xorshift: which packets are lost need not be hard to foresee.
    fn number(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

/// From where to where an IPv4 packet goes.
fn ends(packet: &[u8]) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let header: &[u8; 20] = packet.first_chunk()?;
    if header[0] >> 4 != 4 {
        return None;
    }
    let at = |start: usize| {
        let octets: &[u8; 4] = header[start..].first_chunk().expect("a header is 20 bytes");
        Ipv4Addr::from(*octets)
    };
    Some((at(12), at(16)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTS: [Ipv4Addr; 3] = [
        Ipv4Addr::new(10, 9, 0, 1),
        Ipv4Addr::new(10, 9, 0, 2),
        Ipv4Addr::new(10, 9, 0, 3),
    ];

    fn packet(from: Ipv4Addr, to: Ipv4Addr) -> Vec<u8> {
        let mut packet = vec![0; 28];
        packet[0] = 0x45;
        packet[12..16].copy_from_slice(&from.octets());
        packet[16..20].copy_from_slice(&to.octets());
        packet
    }

    #[test]
    fn packets_are_late_some_are_lost_and_islands_are_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let weather = Weather {
            delay: Duration::from_millis(20),
            jitter: Duration::ZERO,
            lost_permille: 100,
            seed: 7,
        };
        let router = Router::start(folder.path(), weather).unwrap();
        let sockets = HOSTS.map(|host| {
            let socket = UnixDatagram::bind(folder.path().join(host.to_string())).unwrap();
            socket.connect(folder.path().join("router")).unwrap();
            socket
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
            socket
        });
        let began = now();
        for _ in 0..200 {
            sockets[0].send(&packet(HOSTS[0], HOSTS[1])).unwrap();
            thread::sleep(Duration::from_micros(100));
        }
        sockets[1].recv(&mut [0; 64]).unwrap();
        assert!(began.elapsed() >= weather.delay);
        thread::sleep(Duration::from_millis(100));
        let counts = router.counts();
        assert_eq!(counts.carried + counts.lost, 200);
        assert!((5..45).contains(&counts.lost), "{counts:?}");
        router.cut([HOSTS[2]]);
        sockets[0].send(&packet(HOSTS[0], HOSTS[2])).unwrap();
        sockets[2].send(&packet(HOSTS[2], HOSTS[0])).unwrap();
        sockets[0].send(b"no packet").unwrap();
        thread::sleep(Duration::from_millis(100));
        assert_eq!(router.counts().cut, 2);
    }
}
