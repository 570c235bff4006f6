/** Cases of the suite that Azurite 3.37 fails, and why: each is asked again, and fails the suite when it passes. */
export const azuriteDefects: Readonly<Record<string, string>> = {
  "conditional reads: an old version is read by its id":
    "Azurite keeps no versions: writes tell none, and it ignores versionid",
  "metadata keys are lower case; duplicates by case are refused: names of Object's own are names like any other":
    "Azurite keeps metadata in an object with a prototype: the value of constructor is what Object's own is, and ours"
}
