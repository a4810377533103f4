// The package's public face: the KVM API. Handles can be disposed of by `using`, whose types a user need not ask for.
/// <reference lib="esnext.disposable" preserve="true" />
export * from "./kvm/index.ts";
