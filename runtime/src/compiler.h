/* Python's compiler, which a finished module has only if its program asks for it. */
#ifndef SPACETIME_COMPILER_H
#define SPACETIME_COMPILER_H

/* From now on text is not compiled: the packer empties the compiler's functions. */
void compiler_drop(void);

#endif
