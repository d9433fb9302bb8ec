import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RekindleError } from '../sdk/index.ts';
import { createAppRouter } from './router.tsx';
import { goToSignIn } from './session/session.ts';
import { applyAppearance } from './shell/appearance.ts';
import './styles.css';

applyAppearance();
// A page that was loaded before the last update asks for files that are gone. Without a connection there is nothing to load anew.
window.addEventListener('vite:preloadError', () => navigator.onLine && location.reload());

const client = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      if (error instanceof RekindleError && error.code === 'no_session') goToSignIn();
    },
  }),
  // The client of the API repeats what is worth repeating.
  defaultOptions: { queries: { retry: false, staleTime: 5_000, refetchOnWindowFocus: true } },
});
const root = document.getElementById('app');
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <RouterProvider router={createAppRouter(client)} />
      </QueryClientProvider>
    </StrictMode>,
  );
