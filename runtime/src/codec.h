/* A type, compiled once from its description: what turns Python values into BSATN and back. */
#ifndef SPACETIME_CODEC_H
#define SPACETIME_CODEC_H

#include "buffer.h"

enum Kind {
    KIND_BOOL,
    KIND_INT,
    KIND_F32,
    KIND_F64,
    KIND_STR,
    KIND_BYTES,
    KIND_LIST,    /* parts: the element */
    KIND_OPTION,  /* parts: the value */
    KIND_PRODUCT, /* parts: the fields; labels: their names; class: NULL for a tuple */
    KIND_ENUM,    /* labels: the members */
    KIND_SUM,     /* parts: the payloads, NULL where there is none; labels: the classes */
    KIND_UNION,   /* parts: the values; labels: their classes */
    KIND_FORWARD, /* parts: what it was defined as, NULL before */
};

typedef struct Codec {
    PyObject_HEAD
    uint8_t kind;
    uint8_t width;      /* KIND_INT: bytes */
    uint8_t is_signed;  /* KIND_INT */
    uint8_t plain_new;  /* KIND_PRODUCT: the class has object's `__new__` */
    uint32_t min_size;  /* bytes of the shortest value; read it by `codec_min_size` */
    uint32_t depth;     /* levels of parts below, forward ones not counted */
    uint32_t count;     /* of parts and labels */
    struct Codec **parts;
    PyObject **labels;
    Py_ssize_t *slots;  /* where an instance keeps the field (product) or `value` (sum); 0: look it up */
    PyObject **units;   /* KIND_SUM: the instance of a variant without payload */
    PyTypeObject *class;
    const char *name;   /* scalars: as in descriptions */
} Codec;

extern PyTypeObject Codec_Type;
#define Codec_Check(object) Py_IS_TYPE(object, &Codec_Type)

/* The way from the outermost value to the one at hand, for messages. */
typedef struct Place {
    const struct Place *up;
    PyObject *name; /* borrowed; NULL: an index */
    Py_ssize_t index;
} Place;

/* Sets the exception with the place in front, and returns -1. */
int fail_at(PyObject *exception, const Place *place, const char *format, ...);

/* Both append to / advance over whole values. -1 and NULL with an exception. */
int encode_value(const Codec *codec, PyObject *value, Buffer *out, const Place *place);
PyObject *decode_value(const Codec *codec, Reader *in, const Place *place);

/* With the place that messages start from, the class of a row. */
int encode_root(const Codec *codec, PyObject *value, Buffer *out);
PyObject *decode_root(const Codec *codec, Reader *in);

/* Decodes the fields of a product into an array, for a call. */
int decode_fields(const Codec *codec, Reader *in, PyObject **fields);

/* Fails unless all was read. */
int reader_finish(const Codec *codec, const Reader *in);

uint32_t codec_min_size(Codec *codec);

/* An option of an option, whose value is a `Some`. */
int codec_is_boxed(const Codec *option);

/* What it was defined as, for a forward one. NULL with ValueError when it never was. */
const Codec *codec_resolve(const Codec *codec);

/* What object.__new__ gives for the class. */
PyObject *new_plain(PyTypeObject *class);

/* Stores into a new object, past a class's own `__setattr__`. */
int set_field(PyObject *object, PyObject *name, Py_ssize_t slot, PyObject *value);

/* Where instances keep the attribute if it is a slot; or the mark that it is nothing but an entry of
 * their dict; else 0: nobody knows. */
#define PLAIN_ATTRIBUTE ((Py_ssize_t)-1)
Py_ssize_t slot_of(PyTypeObject *class, PyObject *name);

/* The instance attribute `name`; the slot is that of `class`. A new reference. */
PyObject *get_field(PyObject *object, const PyTypeObject *class, PyObject *name, Py_ssize_t slot);

/* `__module__`-level functions of codec.c. */
PyObject *codec_compile(PyObject *description);
PyObject *codec_forward(void);
int codec_define(Codec *codec, PyObject *description);
const char *codec_title(const Codec *codec);

/* Levels of one description, and of a value whose types refer to themselves: bounds C's stack. */
#define MAX_DEPTH 64
#define MAX_NESTING 400
/* Elements without bytes cost the sender nothing and us an object each. */
#define MAX_EMPTY 65536u
#define MAX_VARIANTS 256

/* Levels of the value at hand. */
extern int nesting;

/* "value", interned. */
extern PyObject *value_name;
/* The class that boxes the value of an option of an option. */
extern PyTypeObject *some_class;
extern Py_ssize_t some_slot;

#endif
