// The package's public face: the KVM API.
export * from "./kvm/index.ts";
