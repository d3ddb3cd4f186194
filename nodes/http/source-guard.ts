import type { NextFunction, Request, Response } from 'express';
import { closeToOtherSites, frameHeaders } from '../../lib/http/frames';
import { checkSource } from '../../lib/http/source';
import { MalformedInputError } from '../../lib/model/errors';
import { sendProblem } from './unanswered';

/** Whether the URL of a request can be decoded; the router would answer an undecodable one with a stack trace. */
function isReadable(url: string): boolean {
  try {
    return decodeURIComponent(url.split('?', 1)[0] ?? '') !== '';
  } catch {
    return false;
  }
}

/** Rejects a request from a foreign source, or with an undecodable URL, before anything else of it is read. */
export function guardSource(request: Request, response: Response, next: NextFunction): void {
  closeToOtherSites(response);
  response.set(frameHeaders());
  try {
    checkSource(request);
    if (!isReadable(request.url)) {
      const remedy = 'Encode what is no letter or digit, as encodeURIComponent does.';
      const unreadable = [{ field: '(address)', value: request.url, remedy }];
      throw new MalformedInputError('The address could not be read.', unreadable);
    }
  } catch (refused) {
    sendProblem(response, refused);
    return;
  }
  next();
}
