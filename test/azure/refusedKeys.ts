/** Keys of the suite that Azure Blob would rewrite or refuse. */
export const refusedKeys = [
  "back\\slash",
  "dots/../up",
  "dots/./here",
  "dots-end/..",
  "dot-end/.",
  "...",
  "name.",
  "tab\tkey",
  "newline\nkey",
  "return\rkey",
  "control\u0001\u001f\u007f",
  "a/./b",
  "a/c/../b",
  "..",
  ".",
  "\u0001",
  "a.",
  "\u007f"
]
