/** The origin of a misfit, which determines who can change it. */
export type Whose = 'file' | 'job' | 'printer' | 'stock';

/** One reason why a job cannot be printed on a printer. */
export interface FitReason {
  /** Stable; programs may match it. */
  code: string;
  /** A complete sentence. */
  text: string;
  /** An instruction for the operator or the submitter. */
  remedy: string;
  whose: Whose;
  /** Whether it holds as long as the job, the file and the printer do not change. */
  permanent: boolean;
}

/** How one printer fits one job: the only check of that, used from the preview to the start. */
export interface Fit {
  /** Whether the printer can ever print the job. */
  fits: boolean;
  /** Whether it could start now. */
  now: boolean;
  /** Everything that prevents the print, permanent reasons first. */
  reasons: FitReason[];
}
