<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use Exception;

/**
 * Thrown when the daemon, or the vendor behind it, refuses a command or cannot be reached; the message is for the user.
 */
final class Refusal extends Exception
{
    private $reason;

    /** @param string $reason error code of the contract ("authentication_failed", ...), or "daemon": no daemon answers */
    public function __construct(string $message, string $reason)
    {
        parent::__construct($message);
        $this->reason = $reason;
    }

    public function reason(): string
    {
        return $this->reason;
    }
}
