<?php

use Jeenergie\Daemon\Refusal;
use Jeenergie\Daemon\Socket;

final class SocketTest extends JeenergieTestCase
{
    /** @return array{string, string} reason and sentence */
    private function refusal(float $timeout): array
    {
        try {
            Socket::request('status', [], $timeout);
        } catch (Refusal $refusal) {
            return [$refusal->reason(), $refusal->getMessage()];
        }
        $this->fail('no refusal');
    }

    public function testAMessageCarriesTheKeyAndItsFields(): void
    {
        $this->startDaemon('echo');
        $result = Socket::request('refresh', ['equipment' => '12']);
        $message = ['apikey' => str_repeat('k', 64), 'cmd' => 'refresh', 'equipment' => '12'];
        $this->assertSame($message + ['language' => translate::getLanguage()], $result);
    }

    public function testALongMessageAndALongAnswerArriveWhole(): void
    {
        $this->startDaemon('echo');
        $text = str_repeat('é', 400000);
        $this->assertSame($text, Socket::request('test', ['connection' => $text])['connection']);
    }

    public function testAnAnswerInPiecesIsOne(): void
    {
        $this->startDaemon('long');
        $this->assertSame(600000, strlen(Socket::request('status')['text']));
    }

    public function testARefusalSpeaksTheDaemonsWords(): void
    {
        $this->startDaemon('refuse');
        $this->assertSame(['authentication_failed', 'Non ‹b›.'], $this->refusal(5));
    }

    /** @dataProvider troubles */
    public function testADaemonInTroubleIsSaidSo(string $manner): void
    {
        $this->startDaemon($manner);
        [$reason, $sentence] = $this->refusal(0.3);
        $this->assertSame('daemon', $reason);
        $this->assertStringContainsString('n\'a pas répondu', $sentence);
    }

    public static function troubles(): array
    {
        return ['silence' => ['silence'], 'garbage' => ['garbage'], 'closed' => ['close']];
    }

    public function testNoDaemonIsSaidWithWhatToDo(): void
    {
        Memory::$config['jeenergie::socketport'] = 1;
        $this->assertStringContainsString('Démarrez-le', $this->refusal(1)[1]);
    }

    public function testAMessageThatTheDaemonWouldRefuseIsNotSent(): void
    {
        $this->expectExceptionMessage('trop long');
        Socket::encode(['x' => str_repeat('x', 1048576)]);
    }
}
