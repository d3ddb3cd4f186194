/** Whose matter it is that something does not fit, which tells who can change it. */
export type Whose = 'file' | 'job' | 'printer' | 'stock';

/** One thing that keeps a job from being printed on a printer. */
export interface FitReason {
  /** Stable; programs may match it. */
  code: string;
  /** A whole sentence. */
  text: string;
  /** What an operator or the submitter can do. */
  remedy: string;
  whose: Whose;
  /** Whether it stays as long as the job, the file and the printer are what they are. */
  permanent: boolean;
}

/** What one printer has to do with one job: the only judgement of that, used from the preview to the start. */
export interface Fit {
  /** Whether the printer can ever print the job. */
  fits: boolean;
  /** Whether it could start now. */
  now: boolean;
  /** Everything that stands in the way, what is permanent first. */
  reasons: FitReason[];
}
