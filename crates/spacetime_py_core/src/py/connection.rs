//! The connection as a frozen class around a lock. The lock is never held while Python code could run.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use super::classes::Module;
use super::delivery::{Delivery, Told};
use super::encode::encode_args;
use super::error::{ProtocolError, SchemaMismatchError};
use super::event::event_object;
use super::stats::snapshot;
use super::table::TableCache;
use crate::client::keepalive::Patience;
use crate::client::{self, Event, Options};
use crate::wire::capture::Kind;
use crate::wire::compression::{self, Compression};
use crate::wire::protocol::Protocol;

#[pyclass(frozen, module = "spacetime_py._core")]
pub struct Connection {
    core: Mutex<client::Connection>,
    module: Py<Module>,
}

/// Work on fewer bytes than this is done before another thread could take the interpreter.
const WORTH_DETACHING: usize = 32 * 1024;

/// Bytes of any buffer. Only `bytes` are used in place, since nobody can change them meanwhile.
pub enum Input<'py> {
    Bytes(Bound<'py, PyBytes>),
    Copy(Vec<u8>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Input<'py> {
    type Error = PyErr;

    #[inline(always)]
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Input::Bytes(bytes.to_owned()));
        }
        Ok(Input::Copy(PyBuffer::<u8>::get(&object)?.to_vec(object.py())?))
    }
}

impl Input<'_> {
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Input::Bytes(bytes) => bytes.as_bytes(),
            Input::Copy(bytes) => bytes,
        }
    }
}

#[pymethods]
impl Connection {
    #[new]
    #[pyo3(signature = (
        module, *, authority, database, token = None, headers = vec![], protocols = vec!["v3".into(), "v2".into(), "v1".into()],
        compression = "gzip", confirmed_reads = None, max_message_size = 1 << 30, ping_interval = None, ping_timeout = None
    ))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn new(
        module: &Bound<'_, Module>,
        authority: String,
        database: String,
        token: Option<String>,
        headers: Vec<(String, String)>,
        protocols: Vec<String>,
        compression: &str,
        confirmed_reads: Option<bool>,
        max_message_size: usize,
        ping_interval: Option<f64>,
        ping_timeout: Option<f64>,
    ) -> PyResult<Self> {
        let options = Options {
            authority,
            database,
            token,
            headers,
            protocols: protocols.iter().map(|name| protocol_of(name)).collect::<PyResult<_>>()?,
            compression: compression_of(compression)?,
            confirmed_reads,
            max_message_size,
            patience: Patience { interval: ping_interval, timeout: ping_timeout },
        };
        // Options are the caller's values, so that a fault in them is a ValueError.
        let mut core = client::Connection::new(module.get().def.clone(), options)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        core.stats_mut().set_clock(super::stats::nanoseconds);
        Ok(Connection { core: Mutex::new(core), module: module.clone().unbind() })
    }

    fn receive_data(&self, py: Python<'_>, data: Input<'_>) -> PyResult<()> {
        let data = data.as_bytes();
        self.work(py, data.len(), |core| core.receive_data(data))
    }

    fn receive_eof(&self) {
        self.lock().receive_eof();
    }

    #[pyo3(signature = (delivery = None))]
    fn next_event<'py>(&self, py: Python<'py>, delivery: Option<&Delivery>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let step = self.work(py, 0, |core| advance(core, 0))?;
        Ok(match self.follow(py, step, delivery)? {
            Rest::Event(event) => Some(event),
            Rest::Nothing { .. } => None,
        })
    }

    fn data_to_send<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.lock().data_to_send())
    }

    /// Seconds of a clock that only goes forward.
    fn tick(&self, now: f64) -> Option<f64> {
        let mut core = self.lock();
        core.tick(now);
        core.next_tick()
    }

    #[pyo3(signature = (token = None, may_become_other = false))]
    fn reconnect(&self, token: Option<&str>, may_become_other: bool) -> PyResult<()> {
        self.lock().reconnect(token, may_become_other).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn subscribe(&self, queries: Vec<String>) -> PyResult<u32> {
        Ok(self.lock().subscribe(queries)?)
    }

    fn unsubscribe(&self, query_set: u32) -> PyResult<()> {
        Ok(self.lock().unsubscribe(query_set)?)
    }

    fn call_reducer(&self, name: &str, args: &Bound<'_, PyTuple>) -> PyResult<u32> {
        Ok(self.request_reducer(name, args)?.request_id)
    }

    fn call_procedure(&self, name: &str, args: &Bound<'_, PyTuple>) -> PyResult<u32> {
        Ok(self.request_procedure(name, args)?.request_id)
    }

    fn query(&self, query: &str) -> PyResult<u32> {
        Ok(self.request_query(query)?.request_id)
    }

    fn refuse_rows(&self, misfits: HashMap<usize, String>) {
        self.lock().refuse_rows(misfits);
    }

    fn close(&self) {
        self.lock().close();
    }

    #[getter]
    fn protocol(&self) -> Option<&'static str> {
        self.lock().protocol().map(Protocol::name)
    }

    #[getter]
    fn token(&self) -> Option<String> {
        self.lock().token().map(str::to_owned)
    }

    #[getter]
    fn pending(&self) -> (usize, usize) {
        self.lock().pending()
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        snapshot(py, &self.lock())
    }

    /// Nanoseconds that the owner took for a frame.
    fn add_frame(&self, duration: u64) {
        self.lock().stats_mut().frames.add(duration);
    }

    fn query_set_sizes(&self, py: Python<'_>) -> Option<Vec<(u32, usize)>> {
        py.detach(|| self.lock().query_set_sizes())
    }

    #[getter]
    fn message_head(&self) -> (&'static str, Option<u32>, Option<u32>) {
        let head = self.lock().head();
        (head.name, head.request_id, head.query_set)
    }

    fn table_bsatn<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let module = self.module.bind(py).get();
        let index = module.def.table(name).ok_or_else(|| unknown("table", name))?;
        let core = self.lock();
        Ok(core.cache().table(index).rows().iter().map(|(row, _)| PyBytes::new(py, row)).collect())
    }

    fn start_capture(&self) {
        self.lock().capture().start();
    }

    fn stop_capture(&self) {
        self.lock().capture().stop();
    }

    fn take_captured<'py>(&self, py: Python<'py>) -> Vec<(bool, &'static str, Bound<'py, PyBytes>)> {
        let records = self.lock().capture().take();
        records
            .into_iter()
            .map(|record| (record.is_sent, kind_name(record.kind), PyBytes::new(py, &record.data)))
            .collect()
    }

    fn table(slf: &Bound<'_, Self>, name: &str) -> PyResult<TableCache> {
        let module = slf.get().module.bind(slf.py()).get();
        let index = module.def.table(name).ok_or_else(|| unknown("table", name))?;
        let class = module.row_class(slf.py(), index)?;
        Ok(TableCache::new(slf.clone().unbind(), index, class))
    }
}

impl Connection {
    pub fn module<'a>(&'a self, py: Python<'a>) -> &'a Module {
        self.module.bind(py).get()
    }

    pub fn request_reducer(&self, name: &str, args: &Bound<'_, PyTuple>) -> PyResult<Sent> {
        let module = self.module(args.py());
        let reducer = module.def.reducer(name).ok_or_else(|| unknown("reducer", name))?;
        let args = encode_args(module, "reducer", reducer, args)?;
        let mut core = self.lock();
        Ok(Sent { request_id: core.call_reducer(name, args)?, queued: core.queued() })
    }

    pub fn request_procedure(&self, name: &str, args: &Bound<'_, PyTuple>) -> PyResult<Sent> {
        let module = self.module(args.py());
        let procedure = module.def.procedure(name).ok_or_else(|| unknown("procedure", name))?;
        let args = encode_args(module, "procedure", procedure, args)?;
        let mut core = self.lock();
        Ok(Sent { request_id: core.call_procedure(name, &args)?, queued: core.queued() })
    }

    pub fn request_query(&self, query: &str) -> PyResult<Sent> {
        let mut core = self.lock();
        Ok(Sent { request_id: core.one_off_query(query)?, queued: core.queued() })
    }

    pub fn lock(&self) -> MutexGuard<'_, client::Connection> {
        // A panic in the core left its message half done; the driver ends the connection on that error.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes bytes from the socket, and tells of the messages in them.
    pub fn receive<'py>(&self, py: Python<'py>, data: Input<'_>, delivery: Option<&Delivery>) -> PyResult<Rest<'py>> {
        let data = data.as_bytes();
        let step = self.work(py, data.len(), |core| {
            core.receive_data(data);
            advance(core, data.len())
        })?;
        self.follow(py, step, delivery)
    }

    /// Tells row callbacks of all messages that they alone hear of; ends at the first other event.
    fn follow<'py>(&self, py: Python<'py>, first: Step, delivery: Option<&Delivery>) -> PyResult<Rest<'py>> {
        let module = self.module.bind(py);
        let mut step = first;
        loop {
            step = match step {
                Step::Idle { has_output } => return Ok(Rest::Nothing { has_output }),
                Step::Large(size) => self.work(py, size, |core| advance(core, usize::MAX))?,
                Step::Event(event) => {
                    let told = match delivery {
                        Some(delivery) => delivery.tell(module, event)?,
                        None => Told::Left(event),
                    };
                    match told {
                        Told::Left(event) => return event_object(module, *event).map(Rest::Event),
                        Told::Done(event) => self.work(py, 0, |core| {
                            core.take_back(event);
                            advance(core, 0)
                        })?,
                    }
                }
            }
        }
    }

    /// The one door that lets other threads run meanwhile, when there is enough to do, and that no panic passes.
    fn work<T: Send>(
        &self,
        py: Python<'_>,
        size: usize,
        job: impl FnOnce(&mut client::Connection) -> T + Send,
    ) -> PyResult<T> {
        let caught = || catch_unwind(AssertUnwindSafe(|| job(&mut self.lock())));
        let result = if size < WORTH_DETACHING { caught() } else { py.detach(caught) };
        result.map_err(|_| ProtocolError::new_err("a message met a fault in spacetime_py itself: please report it"))
    }
}

/// A request, and how many messages wait to be sent with it.
pub struct Sent {
    pub request_id: u32,
    pub queued: usize,
}

/// What comes next, seen with the lock.
enum Step {
    Event(Box<Event>),
    /// A message that is worth letting other threads run meanwhile.
    Large(usize),
    Idle {
        has_output: bool,
    },
}

/// What is left to the caller.
pub enum Rest<'py> {
    Event(Bound<'py, PyAny>),
    Nothing { has_output: bool },
}

/// The next event, unless its message is larger than what the caller has prepared for.
fn advance(core: &mut client::Connection, prepared: usize) -> Step {
    let size = core.next_size();
    if size >= WORTH_DETACHING && size > prepared {
        return Step::Large(size);
    }
    match core.next_event() {
        Some(event) => Step::Event(event),
        None => Step::Idle { has_output: core.has_output() },
    }
}

fn protocol_of(name: &str) -> PyResult<Protocol> {
    let unknown = || PyValueError::new_err(format!("protocols are \"v3\", \"v2\" and \"v1\", not {name:?}"));
    Protocol::from_name(name).ok_or_else(unknown)
}

fn compression_of(name: &str) -> PyResult<Compression> {
    match name {
        "none" => Ok(Compression::None),
        "gzip" => Ok(Compression::Gzip),
        "brotli" => Ok(Compression::Brotli),
        other => Err(PyValueError::new_err(format!("compression is \"none\", \"gzip\" or \"brotli\", not {other:?}"))),
    }
}

/// The body of a server's message without its compression byte; `limit` bounds what it may expand to.
#[pyfunction]
pub fn open_envelope<'py>(py: Python<'py>, payload: Input<'py>, limit: usize) -> PyResult<Bound<'py, PyBytes>> {
    let body = compression::open(payload.as_bytes().to_vec().into(), limit)?;
    Ok(PyBytes::new(py, &body))
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Message => "binary",
        Kind::Ping => "ping",
        Kind::Pong => "pong",
        Kind::Close => "close",
        Kind::Drop => "drop",
    }
}

fn unknown(kind: &str, name: &str) -> PyErr {
    SchemaMismatchError::new_err(format!("these bindings have no {kind} `{name}`; run `spacetime-py generate` again"))
}
