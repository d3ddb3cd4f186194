import { Histogram, Registry } from 'prom-client';

/** Durations of requests in this process. Labels name the route, never the requested resource. */
export class RequestDurations {
  readonly registry = new Registry();
  readonly #seconds = new Histogram({
    name: 'platewise_http_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  });

  /** @param route with parameter names in place of their values: `/api/fabrication/jobs/:id` */
  observe(request: { method: string; route: string; status: number; seconds: number }): void {
    const { method, route, status, seconds } = request;
    this.#seconds.observe({ method, route, status: String(status) }, seconds);
  }
}
