import { MemorySessionStore } from '../../src/broker/memory-session-store.ts';
import { sessionStoreContract } from './session-store.contract.ts';

sessionStoreContract('the memory', () => {
  const store = new MemorySessionStore();
  return {
    open: async () => store,
    async reopen() {
      store.crash();
      return store;
    },
    async dispose() {},
  };
});
