//! Memory of small objects that were freed, for the next ones of about their size, as CPython keeps that of floats: programs
//! look at a row, drop it and look at the next. Where there is no GIL nothing is kept.
//!
//! What the unsafe code relies on: callers have the thread attached, and free what `take` gave with the same size.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::ptr;

use pyo3::ffi;

use super::held::HAS_GIL;

/// Objects are kept by their size in steps of so many bytes, up to the largest for which that is worthwhile.
const STEP: usize = 16;
const LARGEST: usize = 256;
/// As much as is kept of one size, in bytes.
const MOST: usize = 512 * 1024;
static SPARE: Sizes = Sizes([const { Spare::new() }; LARGEST / STEP + 1]);

struct Sizes([Spare; LARGEST / STEP + 1]);

// SAFETY: used with the GIL held only, and never where there is none.
unsafe impl Sync for Sizes {}

/// What is kept of one size: each piece begins with the address of the next one.
struct Spare {
    first: Cell<*mut ffi::PyObject>,
    bytes: Cell<usize>,
}

impl Spare {
    const fn new() -> Self {
        Spare { first: Cell::new(ptr::null_mut()), bytes: Cell::new(0) }
    }
}

/// Memory for an object of so many bytes; null when there is no more.
///
/// # Safety
/// As the header says.
#[inline]
pub unsafe fn take(size: usize) -> *mut ffi::PyObject {
    // SAFETY: `free` has left the next one there.
    unsafe {
        if HAS_GIL && size <= LARGEST {
            let step = size.div_ceil(STEP);
            let spare = &SPARE.0[step];
            let first = spare.first.get();
            if first.is_null() {
                return ffi::PyObject_Malloc(step * STEP).cast();
            }
            spare.first.set(first.cast::<*mut ffi::PyObject>().read());
            spare.bytes.set(spare.bytes.get() - step * STEP);
            return first;
        }
        ffi::PyObject_Malloc(size).cast()
    }
}

/// Frees an object's memory, or keeps it.
///
/// # Safety
/// As the header says, and nobody else has the object.
#[inline]
pub unsafe fn free(object: *mut ffi::PyObject, size: usize) {
    // SAFETY: the memory is larger than a pointer, and nobody else's.
    unsafe {
        if HAS_GIL && size <= LARGEST {
            let step = size.div_ceil(STEP);
            let spare = &SPARE.0[step];
            if spare.bytes.get() < MOST {
                object.cast::<*mut ffi::PyObject>().write(spare.first.get());
                spare.first.set(object);
                spare.bytes.set(spare.bytes.get() + step * STEP);
                return;
            }
        }
        ffi::PyObject_Free(object.cast());
    }
}
